/** Python: what programs may not do, and how each way to do it is closed. */
export const PYTHON_DOORS = `
import ast, builtins, collections, datetime, decimal, errno, fractions, json, linecache, os, sys, traceback, types
# Loaded before the memory is copied, so that programs need not load them again.
import bisect, copy, dataclasses, enum, functools, hashlib, heapq, itertools, math, operator, random, re, statistics
import string, time, typing, unicodedata

dumps, loads, isinstance_, type_, len_ = json.dumps, json.loads, isinstance, type, len

class Forbidden(PermissionError):
    pass
Forbidden.__module__ = "builtins"

MODULES = frozenset(["js", "pyodide_js", "pyodide", "_pyodide", "_pyodide_core", "pyodide_core", "micropip", "ctypes",
                     "_ctypes", "multiprocessing", "_multiprocessing", "pty", "cffi", "webbrowser", "requests", "httpx",
                     "aiohttp", "urllib3", "urllib.request", "http.client", "http.server", "ftplib", "smtplib", "poplib",
                     "imaplib", "telnetlib", "nntplib", "xmlrpc", "socketserver", "paramiko", "psutil"])
EVENTS = ("os.listdir os.scandir os.mkdir os.remove os.rename os.rmdir os.chmod os.chown os.chflags os.chdir os.link "
          "os.symlink os.truncate os.utime os.walk os.fwalk os.getxattr os.setxattr os.removexattr os.listxattr "
          "os.mkfifo os.mknod os.system os.exec os.fork os.forkpty os.posix_spawn os.spawn os.startfile os.kill os.killpg "
          "subprocess.Popen pty.spawn signal.pthread_kill "
          "socket.connect socket.bind socket.listen socket.sendto socket.sendmsg socket.getaddrinfo socket.gethostbyname "
          "socket.gethostbyaddr socket.getnameinfo socket.gethostname urllib.Request http.client.connect ftplib.connect "
          "smtplib.connect poplib.connect imaplib.open nntplib.connect telnetlib.Telnet.open webbrowser.open "
          "gc.get_objects gc.get_referrers gc.get_referents glob.glob shutil.rmtree").split()
FORBIDDEN_EVENTS = frozenset(EVENTS)
LIBRARY = tuple(path for path in sys.path if path.startswith("/lib"))
STREAMS = frozenset(["/dev/stdin", "/dev/stdout", "/dev/stderr"])

def is_door(name):
    return name in MODULES or name.partition(".")[0] in MODULES

def refuse(what):
    raise Forbidden("forbidden in the sandbox: " + what)

def audit(event, arguments):
    if event == "import":
        if is_door(arguments[0]):
            refuse("import of " + arguments[0])
    elif event == "open":
        path = arguments[0]
        if type_(path) is bytes:
            path = path.decode("utf-8", "replace")
        if type_(path) is str and path not in STREAMS:
            mode = arguments[1]
            reads = mode is None or (type_(mode) is str and not any(c in mode for c in "wax+"))
            if not (reads and path.startswith(LIBRARY) and not ".." in path):
                refuse("file " + path)
        elif type_(path) is int and not 0 <= path <= 2:
            refuse("file descriptor")
    elif event in FORBIDDEN_EVENTS or event.startswith("ctypes."):
        refuse(event)
    elif event == "sqlite3.connect" and arguments[0] != ":memory:":
        refuse("database file")

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if is_door(name):
            refuse("import of " + name)
        return None

def closed(name):
    def door(*arguments, **keywords):
        refuse(name)
    door.__name__ = door.__qualname__ = name
    return door

class LeftProgram(BaseException):
    pass

def leave(status=0):
    raise LeftProgram(status)

def close_doors():
    import posix
    for name in ("fork forkpty system popen execl execle execlp execlpe execv execve execvp execvpe spawnl spawnle spawnlp "
                 "spawnlpe spawnv spawnve spawnvp spawnvpe posix_spawn posix_spawnp kill killpg abort startfile").split():
        for module in (os, posix):
            if name != "popen" or module is os:
                setattr(module, name, closed("os." + name))
    os._exit = posix._exit = leave
    os.environ.clear()
    os.chdir("/home/pyodide")
    for name in list(sys.modules):
        if is_door(name):
            del sys.modules[name]
    sys.meta_path[:] = [Finder] + [each for each in sys.meta_path if type_(each).__name__ != "JsFinder"
                                   and not type_(each).__module__.startswith(("_pyodide", "pyodide"))]
    sys.breakpointhook = closed("breakpoint")
    import subprocess
    subprocess.Popen.__init__ = closed("subprocess.Popen")
    subprocess.Popen.__del__ = lambda self: None
    # A program of asyncio waits by itself: there is no event loop of the host's.
    import asyncio
    class Selector:
        def select(self, timeout=None):
            time.sleep(0 if timeout is None else max(0, timeout))
            return []
        def close(self):
            pass
    class Loop(asyncio.BaseEventLoop):
        def __init__(self):
            super().__init__()
            self._selector = Selector()
        def _process_events(self, events):
            pass
        def _write_to_self(self):
            pass
    def new_event_loop():
        return Loop()
    class Runner(asyncio.runners.Runner):
        def __init__(self, *, debug=None, loop_factory=None):
            super().__init__(debug=debug, loop_factory=loop_factory or new_event_loop)
    async def in_default_executor(self, executor, function, *arguments):
        return function(*arguments)
    Loop.shutdown_default_executor = lambda self, timeout=None: asyncio.sleep(0)
    Loop.shutdown_asyncgens = lambda self: asyncio.sleep(0)
    Loop.run_in_executor = lambda self, executor, function, *arguments: self.create_task(
        in_default_executor(self, executor, function, *arguments))
    def run(main, *, debug=None, loop_factory=None):
        with Runner(debug=debug, loop_factory=loop_factory) as runner:
            return runner.run(main)
    asyncio.run = asyncio.runners.run = run
    asyncio.Runner = asyncio.runners.Runner = Runner
    asyncio.new_event_loop = asyncio.events.new_event_loop = new_event_loop
    # Pyodide's own loop counts as running all the time.
    asyncio._set_running_loop(None)
    sys.addaudithook(audit)
`;

/** Python: run a program, call what it defined, tell how it ended. */
export const PYTHON_RUNNING = `
FILE = "program.py"
DRIVER = "<sandbox>"

def chain(error):
    seen = []
    while error is not None and error not in seen and len_(seen) < 50:
        seen.append(error)
        error = error.__cause__ or error.__context__
    return seen

def chained(told):
    while told is not None:
        yield told
        told = told.__cause__ or told.__context__

def outcome_of(error):
    """None for a program that left without an error."""
    if isinstance_(error, (SystemExit, LeftProgram)):
        code = error.args[0] if error.args else None
        if code is None or (type_(code) in (int, bool) and code == 0):
            return None
        if type_(code) is str:
            return {"kind": "error", "message": "SystemExit: " + code, "classes": [], "stack": code}
        return {"kind": "error", "message": "SystemExit: " + repr(code), "classes": [], "stack": ""}
    kind = "error"
    if isinstance_(error, MemoryError) or isinstance_(error, OSError) and error.errno == errno.ENOMEM:
        kind = "memory"
    elif any(isinstance_(each, Forbidden) for each in chain(error)):
        kind = "forbidden"
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename != FILE:
        frames = frames.tb_next
    error.__traceback__ = frames
    line, at = None, frames
    while at is not None:
        if at.tb_frame.f_code.co_filename == FILE:
            line = at.tb_lineno
        at = at.tb_next
    if isinstance_(error, SyntaxError) and error.filename == FILE:
        line = error.lineno
    classes = [each.__name__ for each in type_(error).__mro__ if each.__module__ == "builtins"]
    try:
        text = str(error.msg) if isinstance_(error, SyntaxError) else str(error)
    except BaseException:
        text = ""
    name = type_(error).__name__
    message = " ".join((name + (": " + text if text else "")).split())[:500]
    try:
        told = traceback.TracebackException.from_exception(error, limit=-20)
        for each in chained(told):
            # The sandbox's own frames, where it refused something, tell the program nothing.
            each.stack[:] = [frame for frame in each.stack if frame.filename != DRIVER]
        stack = "".join(told.format())
    except BaseException:
        stack = message
    return {"kind": kind, "message": message + (f" (line {line})" if line else ""), "text": text[:2000],
            "classes": classes, "stack": stack}

streams = (sys.stdout, sys.stderr)

def flushed(outcome):
    for stream in {*streams, sys.stdout, sys.stderr}:
        try:
            stream.flush()
        except BaseException:
            pass
    return outcome

kept = None
handles = []

def run(request):
    global kept
    request = loads(request)
    code = request["code"]
    module = types.ModuleType("__main__")
    module.__builtins__ = builtins
    module.__file__ = FILE
    sys.modules["__main__"] = module
    sys.argv = [FILE]
    space = module.__dict__
    kept = space
    linecache.cache[FILE] = (len_(code), None, code.splitlines(True), FILE)
    outcome = {}
    try:
        tree = ast.parse(code, FILE)
        last = tree.body[-1] if tree.body else None
        ends_in_value = isinstance_(last, ast.Expr)
        if ends_in_value:
            tree.body.pop()
        exec(compile(tree, FILE, "exec"), space)
        if ends_in_value:
            value = eval(compile(ast.Expression(last.value), FILE, "eval"), space)
            try:
                encoded = encoder(None)(value)
                if value is not None and not (type_(encoded) is dict and "x" in encoded):
                    outcome["value"] = encoded
            except NoData:
                pass
    except BaseException as error:
        outcome = {"error": outcome_of(error)}
    return dumps(flushed(outcome))

def call(request):
    request = loads(request)
    outcome = {}
    try:
        decode = decoder(lambda data: handles[data["h"]])
        target = request["target"]
        if "name" in target:
            if target["name"] not in kept:
                raise NameError(f"the program defines no {target['name']}")
            found = kept[target["name"]]
        else:
            found = handles[target["handle"]]
        attribute = request.get("attribute")
        arguments = [decode(each) for each in request.get("args", [])]
        doing = request["do"]
        if doing == "set":
            setattr(found, attribute, arguments[0])
            value = None
        else:
            if attribute is not None:
                found = getattr(found, attribute)
            if doing == "call":
                before = [dumps(each) for each in request["args"]]
                value = found(*arguments, **{key: decode(each) for key, each in request.get("keywords", {}).items()})
            elif doing == "truth":
                value = True if found else False
            elif doing == "text":
                value = str(found)
            else:
                value = found
        encode = encoder(handles)
        outcome["value"] = encode(value)
        if doing == "call":
            changed = []
            for place, (was, argument) in enumerate(zip(before, arguments)):
                if type_(argument) in (list, dict, set, bytearray, collections.deque):
                    now = encoder(handles)(argument)
                    if dumps(now) != was:
                        changed.append([place, now])
            if changed:
                outcome["changed"] = changed
    except BaseException as error:
        about = outcome_of(error)
        outcome = {"error": about or {"kind": "error", "message": "the program left instead of returning", "classes": []}}
    return dumps(flushed(outcome))
`;

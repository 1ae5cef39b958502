/** Python: run tests against stand-ins for the functions of a program in another process. */
export const PYTHON_JUDGE = `
class ProgramFailed(BaseException):
    """The program was stopped, or what it did is nothing that tests may see."""

class RemoteObject:
    """An object of the program. It equals nothing but itself, whatever the program says."""
    __slots__ = ("_ask", "_data")
    def __init__(self, ask, data):
        object.__setattr__(self, "_ask", ask)
        object.__setattr__(self, "_data", data)
    def __call__(self, *arguments, **keywords):
        return self._ask(self._data, None, "call", arguments, keywords)
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._ask(self._data, name, "get")
    def __setattr__(self, name, value):
        self._ask(self._data, name, "set", (value,))
    def __bool__(self):
        return self._ask(self._data, None, "truth") is True
    def __eq__(self, other):
        return type_(other) is RemoteObject and "h" in self._data and self._data.get("h") == other._data.get("h")
    def __ne__(self, other):
        return not self == other
    def __hash__(self):
        return hash(str(self._data.get("h")))
    def __repr__(self):
        return f"<{self._data.get('x', 'object')} of the program>"

def unbound(tree):
    loaded, bound = set(), set()
    for node in ast.walk(tree):
        if isinstance_(node, ast.Name):
            (loaded if isinstance_(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance_(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance_(node, ast.arg):
            bound.add(node.arg)
        elif isinstance_(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
        elif isinstance_(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
    return loaded - bound - set(dir(builtins))

def judge(request):
    request = loads(request)
    rpc = globals()["rpc"]
    calls = 0
    def ask(data, attribute, doing, arguments=(), keywords={}):
        nonlocal calls
        def encode(value):
            if type_(value) is RemoteObject and "h" in value._data:
                return value._data
            return plain(value)
        plain = encoder(None)
        def deep(value):
            if type_(value) in (list, tuple) and any(type_(each) is RemoteObject for each in value):
                inner = [deep(each) for each in value]
                return inner if type_(value) is list else {"p": inner}
            return encode(value)
        sent = [deep(each) for each in arguments]
        target = {"name": data["name"]} if "name" in data else {"handle": data["h"]}
        if doing == "call":
            calls += 1
        answer = loads(rpc(dumps({"target": target, **({} if attribute is None else {"attribute": attribute}), "do": doing,
                                  "args": sent, "keywords": {key: deep(each) for key, each in keywords.items()}})))
        decode = decoder(lambda data: RemoteObject(ask, data))
        for place, now in answer.get("changed", ()):
            argument, new = arguments[place], decode(now)
            if type_(argument) in (list, bytearray):
                argument[:] = new
            elif type_(argument) in (dict, set, collections.deque):
                argument.clear()
                (argument.extend if type_(argument) is collections.deque else argument.update)(new)
        error = answer.get("error")
        if error:
            # The program's exceptions pass for tests that expect them; all else, exits included, ends the test.
            for name in error.get("classes", ()) if error["kind"] == "error" else ():
                found = getattr(builtins, name, None)
                if isinstance_(found, type_) and issubclass(found, Exception) and not issubclass(found, AssertionError):
                    try:
                        raised = found(error.get("text", error["message"]))
                    except TypeError:
                        continue
                    raised.from_program = True
                    raise raised
            raise ProgramFailed(error["message"])
        return decode(answer.get("value"))

    space = {"__name__": "__main__", "__builtins__": builtins}
    verdicts = []
    def attempt(action):
        before = calls
        try:
            action()
        except AssertionError as error:
            return {"ok": False, "kind": "wrong", "message": "an assertion does not hold" + place_of(error)}
        except ProgramFailed as error:
            return {"ok": False, "kind": "program", "message": str(error)}
        except BaseException as error:
            about = outcome_of(error) or {"message": "SystemExit"}
            if getattr(error, "from_program", False):
                return {"ok": False, "kind": "program", "message": about["message"]}
            # Comparing what the program returned failed, or the tests are broken: told apart by whether it was called.
            return {"ok": False, "kind": "error" if calls == before else "wrong", "message": about["message"]}
        if calls == before:
            return {"ok": False, "kind": "error", "message": "the test calls nothing of the program"}
        return {"ok": True, "kind": "wrong", "message": ""}

    entry = request["entryPoint"]
    trees = []
    def bind(tree):
        for name in unbound(tree):
            if name not in space:
                space[name] = RemoteObject(ask, {"name": name})
    try:
        setup = ast.parse(request["setup"], "setup.py")
        bind(setup)
        exec(compile(setup, "setup.py", "exec"), space)
        for place, tests in enumerate(request["tests"]):
            trees.append(ast.parse(tests, f"tests-{place + 1}.py"))
    except ProgramFailed as error:
        return dumps({"verdicts": [{"ok": False, "kind": "program", "message": str(error)}], "calls": calls, "error": None})
    except BaseException as error:
        if getattr(error, "from_program", False):
            verdict = {"ok": False, "kind": "program", "message": outcome_of(error)["message"]}
            return dumps({"verdicts": [verdict], "calls": calls, "error": None})
        message = "the tests cannot be run: " + (outcome_of(error) or {"message": "SystemExit"})["message"]
        return dumps({"verdicts": [], "calls": 0, "error": {"kind": "error", "message": message}})
    if entry:
        space[entry] = RemoteObject(ask, {"name": entry})
    for tree in trees:
        bind(tree)
    for place, tree in enumerate(trees):
        def action():
            before = calls
            exec(compile(tree, f"tests-{place + 1}.py", "exec"), space)
            # HumanEval's tests define check(candidate) and leave it to others to call it.
            if calls == before and entry and type_(space.get("check")) is types.FunctionType:
                space["check"](space[entry])
        verdicts.append(attempt(action))
    return dumps({"verdicts": verdicts, "calls": calls, "error": None})

def place_of(error):
    line, at = None, error.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename.startswith("tests-"):
            line = at.tb_lineno
        at = at.tb_next
    return f" (line {line} of the tests)" if line else ""
`;

/** Python: values as tagged JSON and back, see ../values.ts. */
export const PYTHON_VALUES = `
DEPTH = 200
ITEMS = 1_000_000

class NoData(Exception):
    pass

def encoder(handles):
    left = ITEMS
    def encode(value, depth=0):
        nonlocal left
        left -= 1
        if depth > DEPTH or left < 0:
            raise NoData("the value is too large or nested too deeply to be returned as data")
        kind = type_(value)
        if value is None or kind is bool or kind is str:
            return value
        if kind is int:
            return value if -9007199254740991 <= value <= 9007199254740991 else {"i": hex(value)}
        if kind is float:
            return {"f": float.__repr__(value)}
        if kind is list:
            return [encode(each, depth + 1) for each in value]
        def items(values):
            return [encode(each, depth + 1) for each in values]
        if kind is tuple:
            return {"p": items(value)}
        if kind is dict:
            return {"d": [[encode(key, depth + 1), encode(each, depth + 1)] for key, each in value.items()]}
        if kind is set:
            return {"s": items(value)}
        if kind is frozenset:
            return {"z": items(value)}
        if kind is bytes:
            return {"b": value.hex()}
        if kind is bytearray:
            return {"B": value.hex()}
        if kind is complex:
            return {"c": [float.__repr__(value.real), float.__repr__(value.imag)]}
        if kind is range:
            return {"r": [value.start, value.stop, value.step]}
        if kind is collections.deque:
            return {"q": items(value)}
        if kind is decimal.Decimal:
            return {"D": str(value)}
        if kind is fractions.Fraction:
            return {"F": [hex(value.numerator), hex(value.denominator)]}
        if kind is datetime.datetime or kind is datetime.date:
            return {"t": [kind.__name__, value.isoformat()]}
        if kind in VIEWS:
            return encode(list(value), depth)
        if kind in ITERATORS:
            found = []
            for each in value:
                left -= 1
                if left < 0:
                    raise NoData("the iterator does not end")
                found.append(each)
            return {"n": items(found)}
        # Of a class of the program's own, what it is made of, never what its methods say.
        for base, plain in ((bool, bool), (int, int.__int__), (float, float.__float__), (str, str.__str__)):
            if isinstance_(value, base):
                return encode(plain(value), depth)
        if isinstance_(value, list):
            return [encode(each, depth + 1) for each in list.__iter__(value)]
        if isinstance_(value, tuple):
            return {"p": items(tuple.__iter__(value))}
        if isinstance_(value, dict):
            return {"d": [[encode(key, depth + 1), encode(each, depth + 1)] for key, each in dict.items(value)]}
        if isinstance_(value, set):
            return {"s": items(set.__iter__(value))}
        if isinstance_(value, frozenset):
            return {"z": items(frozenset.__iter__(value))}
        if handles is None:
            return {"x": kind.__name__}
        handles.append(value)
        return {"h": len_(handles) - 1, "x": kind.__name__}
    return encode

def generator():
    yield
VIEWS = {type_({}.keys()), type_({}.values()), type_({}.items())}
ITERATORS = {type_(generator()), map, filter, zip, enumerate, reversed, type_(iter([])), type_(iter(())), type_(iter({})),
             type_(iter({}.values())), type_(iter({}.items())), type_(iter(set())), type_(iter("")), type_(iter(range(0))),
             type_(reversed([])), type_(re.finditer("", ""))} | {
             getattr(itertools, name) for name in ("accumulate", "chain", "combinations", "compress", "dropwhile", "islice",
             "permutations", "product", "starmap", "takewhile", "zip_longest", "pairwise", "batched", "groupby",
             "filterfalse", "combinations_with_replacement")}

def decoder(opaque):
    def decode(data):
        if type_(data) is list:
            return [decode(each) for each in data]
        if type_(data) is not dict:
            return data
        if "h" in data:
            return opaque(data)
        (tag, inner), = data.items()
        if tag == "i": return int(inner, 16) if "x" in inner else int(inner)
        if tag == "f": return float(inner)
        if tag == "p": return tuple(map(decode, inner))
        if tag == "d": return {decode(key): decode(each) for key, each in inner}
        if tag == "s": return set(map(decode, inner))
        if tag == "z": return frozenset(map(decode, inner))
        if tag == "b": return bytes.fromhex(inner)
        if tag == "B": return bytearray.fromhex(inner)
        if tag == "c": return complex(float(inner[0]), float(inner[1]))
        if tag == "r": return range(*inner)
        if tag == "q": return collections.deque(map(decode, inner))
        if tag == "D": return decimal.Decimal(inner)
        if tag == "F": return fractions.Fraction(int(inner[0], 16), int(inner[1], 16))
        if tag == "t": return getattr(datetime, inner[0]).fromisoformat(inner[1])
        if tag == "n": return iter(list(map(decode, inner)))
        return opaque(data)
    return decode
`;

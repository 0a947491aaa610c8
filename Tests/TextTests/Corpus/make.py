"""Writes Tests/TextTests/Corpus/json.txt: documents, mutated with a fixed seed, and what Python's json says of each."""
import base64, json, random, sys

random.seed(27315)
SEEDS = [
    '{"a":[1,-2.5e3,"x\\u00e9\\n",{"b":null,"c":[true,false,{}]}],"d":"\\ud83d\\ude00"}',
    '[ 0 , -0 , 12.50E+3 , 123456789012345678901234567890 , 1e-7 ]',
    '{ "é😀" : "a\\"\\\\\\/\\b\\f\\n\\r\\t" ,\t"" : [ [ ] , { } ] }\r\n',
    '{"statusCode":200,"headers":{"X":"y"},"body":"aGk=","isBase64Encoded":true}',
    '"plain text that is longer than eight bytes, with an é in it"', 'null', ' true ', 'false',
]
ALPHABET = [c.encode() for c in '{}[]",:\\u0e-.ntf 19+E/bd8c'] + [b'\x01', b'\xff', b'\xc3', b'\x7f', b'\xe2\x82\xac', b'\xed\xa0\x80', b'\n']

def refuse(_): raise ValueError

def verdict(data):
    try:
        text = data.decode('utf-8')
        value = json.loads(text, parse_constant=refuse, parse_int=lambda s: '#' + s, parse_float=lambda s: '#' + s)
        dumped = json.dumps(value, separators=(',', ':'), ensure_ascii=False)
        dumped.encode('utf-8')  # lone surrogates cannot be written
        return dumped
    except (ValueError, RecursionError, UnicodeError):
        return None

def lone(data):
    """Lone surrogates, which Python takes, are left out."""
    try:
        json.dumps(json.loads(data.decode('utf-8'), parse_constant=refuse), ensure_ascii=False).encode('utf-8')
        return False
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError, UnicodeError):
        return False

lines, seen = [], set()
while len(lines) < 1000:
    data = bytearray(random.choice(SEEDS).encode())
    for _ in range(random.choice([0, 1, 1, 1, 2, 3])):
        at, what = random.randrange(len(data)), random.randrange(4)
        if what == 0: data[at:at + 1] = random.choice(ALPHABET)
        elif what == 1: del data[at]
        elif what == 2: data[at:at] = random.choice(ALPHABET)
        else: data[at:at] = data[random.randrange(len(data)):][:random.randrange(1, 9)]
        if not data: data = bytearray(b' ')
    data = bytes(data)
    if data in seen or lone(data): continue
    seen.add(data)
    v = verdict(data)
    lines.append(base64.b64encode(data).decode() + ' ' + (base64.b64encode(v.encode()).decode() if v is not None else '-'))
open(sys.argv[1], 'w').write('\n'.join(lines) + '\n')
print(sum(not l.endswith(' -') for l in lines), 'of', len(lines), 'are JSON')

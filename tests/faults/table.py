"""The outcomes as the manual page has them: between two comments in it, one
list a table, one item a fault, a word for each client.

A table is named by the first words of its head; key(table, row) is the fault.
"""

from conftest import TOP

PAGE = TOP / "tools/hashedfs.7"


def _around(text, mode):
    """The page before, inside and after the part of a mode."""
    begin, end = (f'.\\" outcomes {mode}: {word}\n' for word in ("begin", "end"))
    head, inside = text.split(begin)
    inside, tail = inside.split(end)
    return head + begin, inside, end + tail


def key(caption, label):
    return f"{label}, {caption}"


def read(mode):
    """fault -> client -> word."""
    _, inside, _ = _around(PAGE.read_text(), mode)
    found = {}
    for line in inside.splitlines():
        if not line.startswith(".It "):
            continue
        first, *words = line[4:].split(" Ta ")
        if first.startswith("Sy "):
            caption = first[3:]
            clients = [word[3:] for word in words]
        else:
            found[key(caption, first)] = dict(zip(clients, words, strict=True))
    return found


def write(mode, outcomes, tables, clients):
    """Tables, caption -> labels, with the outcomes that are known."""
    head, _, tail = _around(PAGE.read_text(), mode)
    lines = []
    for caption, labels in tables.items():
        widths = [max((caption, *labels), key=len)]
        widths += [max(client, "loses", key=len) for client in clients]
        lines.append(".Bl -column " + " ".join(f'"{width}"' for width in widths))
        lines.append(_item(f"Sy {caption}", [f"Sy {client}" for client in clients]))
        for label in labels:
            row = outcomes.get(key(caption, label), {})
            lines.append(_item(label, [row.get(client, "-") for client in clients]))
        lines.append(".El")
    PAGE.write_text(head + "".join(f"{line}\n" for line in lines) + tail)


def _item(first, words):
    return ".It " + " Ta ".join((first, *words))

"""Tables for people (aligned text) and for documents (Markdown)."""


def text(title, head, rows):
    cells = [list(map(str, row)) for row in [head] + rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells]
    return "\n".join([title, lines[0], "-" * len(lines[0])] + lines[1:]) + "\n"


def markdown(title, head, rows):
    lines = ["| %s |" % " | ".join(map(str, row)) for row in [head, ["---"] * len(head)] + rows]
    return "\n".join(["**%s**" % title, ""] + lines) + "\n"

"""What the lints share: the tracked files of the tree, and C++ text without comments and strings."""

import pathlib
import re
import subprocess


def tracked_files(root):
    """All files that git tracks or would track, relative to root. Without git: everything outside build/."""
    done = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "."],
        capture_output=True, text=True, check=False)
    if done.returncode == 0 and done.stdout:
        names = sorted(set(done.stdout.split("\n")) - {""})
    else:
        names = sorted(str(p.relative_to(root)) for p in pathlib.Path(root).rglob("*")
                       if p.is_file() and "build" not in p.relative_to(root).parts[:1])
    return [name for name in names if (pathlib.Path(root) / name).is_file()]


_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^()\\ ]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9a-zA-Z])\'(?:\\.|[^\'\\\n])*\'',
    re.DOTALL)


def _blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def fold_literals(text, comments):
    """The text with literals of one line folded to "", and comments dropped unless `comments`. For measuring lines."""
    def fold(match):
        token = match.group(0)
        if token.startswith(("//", "/*")):
            return token if comments else re.sub(r"[^\n]", "", token)
        return '""' + "\n" * token.count("\n")
    return _TOKEN.sub(fold, text)


def strip_cpp(text):
    """The text with comments and literals turned to blanks; line numbers stay. #include lines keep their names."""
    out, last = [], 0
    for match in _TOKEN.finditer(text):
        begin = text.rfind("\n", 0, match.start()) + 1
        quoted = match.group(0)[0] in '"R'
        if quoted and text[begin:match.start()].lstrip().startswith("#include"):
            continue
        out.append(text[last:match.start()])
        out.append(_blank(match))
        last = match.end()
    out.append(text[last:])
    return "".join(out)

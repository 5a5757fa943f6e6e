"""The simple commands inside a RUN instruction: what is run, word by word, without running it."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator

from security.subjects import Instruction

MAX_DEPTH = 5
_SHELLS = ("sh", "bash", "dash", "ash", "zsh")
_RESERVED = ("if", "then", "else", "elif", "do", "while", "until", "!", "{", "time", "exec", "command", "env", "nice")
_OPERATORS = set(";&|()\n")
_ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*=")

Command = tuple[str, ...]


def commands(run: Instruction) -> tuple[Command, ...]:
    """Return the commands of a RUN instruction in their order, each as its words.

    Chains, pipes, groups, `sh -c` and here documents are taken apart; assignments in front of a command are left out.
    """
    if run.exec_form:
        return tuple(_nested(run.words, 0))
    return tuple(one for text in (run.value, *run.heredocs) for one in _split(text, 0))


def program(command: Command) -> str:
    """Return the name of a command's program, without its folder."""
    return posixpath.basename(command[0]) if command else ""


def operands(command: Command) -> tuple[str, ...]:
    """Return a command's words that are no options; an option's own value may be among them."""
    return tuple(word for word in command[1:] if not word.startswith("-"))


def _split(text: str, depth: int) -> Iterator[Command]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|()\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""  # it would take the end of the line with the comment
    words: list[str] = []
    try:
        tokens = list(lexer)
    except ValueError:
        # Quotes that do not close: the words are still there to be looked at.
        tokens = re.split(r"\s+", re.sub(r"([;&|()\n]+)", r" \1 ", text))
    in_comment = False
    for token in [*tokens, "\n"]:
        in_comment = (in_comment or token.startswith("#")) and "\n" not in token
        if in_comment:
            continue
        if token and set(token) <= _OPERATORS:
            yield from _nested(tuple(words), depth)
            words = []
        elif token:
            words.append(token)


def _nested(words: Command, depth: int) -> Iterator[Command]:
    while words and (words[0] in _RESERVED or _ASSIGNMENT.match(words[0])):
        words = words[1:]
    if not words:
        return
    yield words
    if depth < MAX_DEPTH and posixpath.basename(words[0]) in _SHELLS:
        for index, word in enumerate(words[1:-1], start=1):
            if re.fullmatch(r"-[a-z]*c", word):
                yield from _split(words[index + 1], depth + 1)
                return
    if depth < MAX_DEPTH and posixpath.basename(words[0]) in ("sudo", "xargs", "doas"):
        rest = words[1:]
        while rest and rest[0].startswith("-"):
            rest = rest[1:]
        yield from _nested(rest, depth + 1)

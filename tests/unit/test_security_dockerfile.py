"""Dockerfiles are read as BuildKit reads them, and RUN instructions come apart into commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from security.dockerfile import expand, parse, read
from security.shell import commands

WHOLE = """\
# syntax=docker/dockerfile:1
# escape=\\
ARG BASE=python:3.13-slim TAG
ARG DIGEST=${BASE}@sha256:ab
FROM --platform=linux/amd64 ${BASE} AS Build
RUN --mount=type=cache,target=/x --network=none apt-get update && \\
    # why
\\
    apt-get install -y curl

COPY --from=build --chown=1:1 a "b c" /d/
RUN <<EOF cat <<-'END'
apt-get update # not a comment of the Dockerfile
EOF
	text
	END
HEALTHCHECK --interval=5s CMD ["python", "x"]
FROM build
cmd python app.py
FROM $DIGEST
ENTRYPOINT [ "a", 'b' ]
"""


def test_a_whole_file_is_read() -> None:
    found = parse(WHOLE)
    assert [(one.name, one.line, one.stage) for one in found.instructions] == [
        ("ARG", 3, -1),
        ("ARG", 4, -1),
        ("FROM", 5, 0),
        ("RUN", 6, 0),
        ("COPY", 11, 0),
        ("RUN", 12, 0),
        ("HEALTHCHECK", 17, 0),
        ("FROM", 18, 1),
        ("CMD", 19, 1),
        ("FROM", 20, 2),
        ("ENTRYPOINT", 21, 2),
    ]
    run, copy, heredocs, health = (found.instructions[n] for n in (3, 4, 5, 6))
    assert run.flags == ("--mount=type=cache,target=/x", "--network=none")
    assert commands(run) == (("apt-get", "update"), ("apt-get", "install", "-y", "curl"))
    assert copy.flags == ("--from=build", "--chown=1:1")
    assert heredocs.heredocs == ("apt-get update # not a comment of the Dockerfile", "\ttext")
    assert health.words == ("CMD", "python", "x")
    assert health.exec_form
    assert not found.instructions[-1].exec_form, "single quotes are no JSON, so this is the shell form"


def test_stages_have_their_bases_with_arguments_filled_in() -> None:
    found = parse(WHOLE)
    assert [stage.base for stage in found.stages] == ["python:3.13-slim", "build", "python:3.13-slim@sha256:ab"]
    assert [stage.number for stage in found.outside_bases()] == [0, 2]


def test_another_escape_character_joins_lines() -> None:
    found = parse("# escape=`\nFROM x\nRUN a `\n b\nRUN c \\\n")
    assert [one.value for one in found.named("RUN")] == ["a  b", "c \\"]


def test_a_directive_after_an_instruction_is_a_comment() -> None:
    assert [one.value for one in parse("FROM x\n# escape=`\nRUN a `\nRUN b").named("RUN")] == ["a `", "b"]


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$A", "1"),
        ("${A}x", "1x"),
        ("${B:-two}", "two"),
        ("${A:-two}", "1"),
        ("${A:+y}${B:+n}", "y"),
        ("$B", "$B"),
        ("${", "${"),
    ],
)
def test_variables_are_filled_in(text: str, expanded: str) -> None:
    assert expand(text, {"A": "1"}) == expanded


@pytest.mark.parametrize(
    ("run", "found"),
    [
        ("RUN a && b; c | d || e & f", ["a", "b", "c", "d", "e", "f"]),
        ("RUN (a; { b; }) \\\n && c", ["a", "b", "}", "c"]),
        ("RUN if a; then X=1 b; fi", ["a", "b", "fi"]),
        ("RUN echo 'a && b' \"c; d\"", ["echo a && b c; d"]),
        ("RUN bash -exc 'a && b'", ["bash -exc a && b", "a", "b"]),
        ('RUN ["sh", "-c", "a; b"]', ["sh -c a; b", "a", "b"]),
        ("RUN sudo -E a", ["sudo -E a", "a"]),
        ("RUN a 'unclosed; b", ["a 'unclosed", "b"]),
        ("RUN <<E\na # b\n# c\nd\nE", ["<<E", "a", "d"]),
        ("RUN", []),
    ],
)
def test_commands_are_taken_apart(run: str, found: list[str]) -> None:
    assert [" ".join(one) for one in commands(parse(f"FROM x\n{run}").instructions[1])] == found


def test_shells_in_shells_come_to_an_end() -> None:
    run = parse("FROM x\nRUN " + "sh -c " * 500 + "a").instructions[1]
    assert commands(run)


@pytest.mark.parametrize("text", ["", "# only a comment", "RUN a", "\x00\x01"])
def test_what_has_no_from_is_no_dockerfile(text: str) -> None:
    with pytest.raises(UsageError, match="no FROM"):
        parse(text)


def test_files_that_are_no_text_or_not_there_are_clear_errors(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"FROM x\n\xff")
    with pytest.raises(UsageError, match="not text"):
        read(tmp_path / "binary")
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path / "nothing")


@given(st.text(alphabet="FROMRUNCOPYADD \\\n#<E'\"&;|[]{}$()=-`\tx", max_size=200))
def test_no_text_brings_the_parser_down(text: str) -> None:
    found = parse("FROM x\n" + text)
    for run in found.named("RUN"):
        commands(run)

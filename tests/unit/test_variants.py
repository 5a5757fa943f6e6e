"""Variants are found by their Dockerfiles, and those that ship with Seatrial keep its rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.paths import ROOT
from images.variants import FOLDER, discover, instructions, public_bases, read

ARTICLE = """\
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY . .
CMD ["python", "app.py"]
EXPOSE 5000
"""
OURS = [path for path in sorted(FOLDER.glob("*.Dockerfile")) if path.name != "article.Dockerfile"]


def test_the_seven_variants_are_there() -> None:
    bases = {variant.name: list(variant.public_bases.values()) for variant in discover()}
    slim, alpine, distroless = (
        "python:3.13-slim-trixie",
        "python:3.13-alpine3.23",
        "gcr.io/distroless/python3-debian13:nonroot",
    )
    assert bases == {
        "article": ["python:3.7-slim"],
        "slim-dev": [slim],
        "slim-gunicorn": [slim],
        "alpine-dev": [alpine],
        "alpine-gunicorn": [alpine],
        "distroless-dev": [slim, distroless],
        "distroless-gunicorn": [slim, distroless],
    }


def test_a_new_dockerfile_is_a_new_variant(tmp_path: Path) -> None:
    (tmp_path / "my-own.Dockerfile").write_text("ARG BASE=python:3.14-slim\nFROM $BASE\n")
    (tmp_path / "my-own.context").mkdir()
    (variant,) = discover(tmp_path)
    assert (variant.name, variant.public_bases) == ("my-own", {"BASE": "python:3.14-slim"})
    assert variant.context_dir == str(tmp_path / "my-own.context")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ARG A=x:1\nFROM ${A}\n", {"A": "x:1"}),
        (
            "# c\narg A='x:1' B=y\nfrom --platform=linux/amd64 $A as b\nFROM $B\nCOPY --from=b / /",
            {"A": "x:1", "B": "y"},
        ),
        ("ARG A=x\nARG B=y\nFROM $B AS last\nFROM $A AS other\nFROM LAST\n", {"A": "x", "B": "y"}),
        ("ARG A=x\nARG UNUSED=z\nFROM $A AS one\nFROM scratch AS two\nFROM 0\n", {"A": "x"}),
        ("ARG \\\n  A=x\nFROM \\\n# between\n  ${A}\n", {"A": "x"}),
        ("ARG A=x\nFROM $A\nARG A=other\n", {"A": "x"}),
        ("ARG A=x:1\nARG B=$A\nFROM $B\n", {"B": "x:1"}),
        ("ARG A\nFROM ${A:-x:2}\n", {"A": "x:2"}),
        (f"ARG A=x:1@sha256:{'0' * 64}\nFROM $A\n", {"A": f"x:1@sha256:{'0' * 64}"}),
        ("FROM python:3.13\n", {"FROM python:3.13": "python:3.13"}),
        ("ARG V=3\nFROM python:${V}-slim\n", {"FROM python:3-slim": "python:3-slim"}),
        ("FROM busybox AS one\nARG A=y\nFROM scratch AS two\nFROM ONE\n", {"FROM busybox": "busybox"}),
        ("ARG A=x\nARG B=y\nFROM $A AS one\nFROM $B AS two\nFROM 1\n", {"A": "x", "B": "y"}),
        ("ARG A=x\nFROM $A\nRUN <<E cat\nFROM nothing\nE\nUSER 1\n", {"A": "x"}),
        ("ARG A=x\nFROM $A AS a\nCOPY <<-'E' <<F /x/\nFROM b\n\tE\nFROM c\nF\nFROM a\n", {"A": "x"}),
        ("ARG A=x\nFROM $A AS a\nRUN echo 1 <<E 2\nFROM a\n", {"A": "x"}),
    ],
    ids=[
        "plain",
        "two-bases",
        "final-stage-is-the-first",
        "numbered-stage",
        "continued",
        "arg-after-from",
        "arg-of-an-arg",
        "default-in-the-from",
        "pinned",
        "outright",
        "part-of-a-name",
        "outright-stage",
        "second-stage-by-number",
        "here-document",
        "two-here-documents",
        "shift",
    ],
)
def test_bases_are_the_defaults_of_args(text: str, expected: dict[str, str]) -> None:
    found = public_bases(text)
    assert found == expected
    assert list(found)[-1] == list(expected)[-1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ARG A\nFROM $A\n",
        "FROM $A\n",
        "FROM\n",
        "ARG A=x\nFROM $A\nFROM scratch",
    ],
    ids=["empty", "no-default", "no-arg", "bare-from", "scratch"],
)
def test_other_bases_are_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        public_bases(text, where="x.Dockerfile")
    assert caught.value.hint


def test_an_unfit_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "Bad_Name.Dockerfile"
    path.write_text("ARG A=x\nFROM $A\n")
    with pytest.raises(UsageError, match="Bad_Name"):
        read(path)


def test_an_empty_folder_is_no_set_of_variants(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no NAME\.Dockerfile"):
        discover(tmp_path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.Dockerfile"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError):
        read(path)


def test_the_article_is_the_articles_but_for_its_base() -> None:
    text = (FOLDER / "article.Dockerfile").read_text("utf-8")
    assert text == "ARG BASE=python:3.7-slim\nFROM ${BASE}\n" + ARTICLE
    assert (FOLDER / "article.context" / "requirements.txt").read_text("utf-8") == "flask\n"


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_our_dockerfiles_keep_the_rules(path: Path) -> None:
    found = list(instructions(path.read_text("utf-8")))
    keywords = [keyword for keyword, _ in found]
    rest = {keyword: text for keyword, text in found}
    assert keywords.count("FROM") == 2
    assert re.fullmatch(r"(10001|65532):\1", rest["USER"])
    # What comes after the last USER runs as that user.
    assert keywords[::-1].index("RUN") > keywords[::-1].index("USER")
    assert all(text.startswith("[") for keyword, text in found if keyword in {"RUN", "ENTRYPOINT"})
    assert re.search(r'CMD \["python3", "-I", "-S"', rest["HEALTHCHECK"])
    assert "org.opencontainers.image.base.name" in rest["LABEL"]
    pip = next(text for keyword, text in found if keyword == "RUN" and "pip" in text)
    assert all(option in pip for option in ('"--require-hashes"', '"--no-index"'))
    assert any("compileall" in text for keyword, text in found if keyword == "RUN")


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_our_dockerfiles_build_without_buildkit(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"--mount|--chmod|--link|--checksum|<<|^# *syntax", text, re.MULTILINE)


def test_the_lock_is_exact_and_hashed() -> None:
    lock = (ROOT / "app" / "requirements.txt").read_text("utf-8")
    requirements = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert {line.partition("==")[0] for line in requirements} >= {"flask", "gunicorn", "werkzeug", "markupsafe"}
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+ \\", line) for line in requirements)
    assert "http" not in lock

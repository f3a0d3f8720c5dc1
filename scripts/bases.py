#!/usr/bin/env python3
"""Tiny foreign checkpoints and what transformers makes of them: bases.py OUT [FAMILY…]

For each family a folder below OUT with a checkpoint as the hub has it (random weights, a tokenizer of the family's own kind trained on the
sentences below), golden.json (texts, context and ids) and golden.safetensors (the last hidden states in f32, `[tokens, hidden]` of each text).
tests/it/bases.rs imports each and compares. Every weight is exact in f16, so that a model written in f16 computes the same.

    pip install torch transformers tokenizers safetensors sentencepiece
    python3 scripts/bases.py tests/corpus/bases"""

import io
import json
import sys
from pathlib import Path

import sentencepiece
import torch
import transformers as hf
from safetensors.torch import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HIDDEN, LAYERS, HEADS, INNER, POSITIONS = 32, 2, 4, 48, 128

SENTENCES = """where is my order
where is my parcel? it should be here by now!
I want a refund for order A-10293, please
the shoes are too small, can I return them?
my refund of $49.90 is still not there
do you have this shirt in blue or in red
thanks, that was quick
this is the third time I ask, let me speak to a human
I was charged twice and nobody answers
the café sent me the wrong naïve façade print
mein Päckchen ist beschädigt angekommen, größer bitte
où est ma commande, s'il vous plaît
我的订单在哪里
我要退款 谢谢
the kettle is broken 😡 what now
great service 😀 👍
cancel order B-20417 and send it to Zürich
how long does delivery take
can you change the address of my order
it's late again, isn't it""".splitlines()

# Each text with the turns before it.
GOLDEN = [
    ("where is my order A-10293?", []),
    ("I was charged twice!! Refund $49.90, please.", []),
    ("the kettle is broken 😡😡 what now", []),
    ("Mein Päckchen   ist beschädigt, naïve cafe\u0301", []),
    ("我的订单在哪里？谢谢", []),
    ("where is my parcel? it should be here by now, this is the third time I ask and nobody answers, let me speak to a human (please): I was "
     "charged twice and the shoes are too small", []),
    ("it's late", ["where is my order?"]),
    ("thanks", ["how long does delivery take", "it's late again"]),
]


def shapes(**more):
    return dict(hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS, intermediate_size=INNER, **more)


def word_pieces(special):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def roberta_frame(tokenizer):
    return processors.RobertaProcessing(
        ("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>")), trim_offsets=True, add_prefix_space=False
    )


def wordpiece():
    tokenizer = word_pieces(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", tokenizer.token_to_id("[SEP]")), ("[CLS]", tokenizer.token_to_id("[CLS]")))
    tokenizer.enable_truncation(128)
    tokenizer.enable_padding(length=128)
    return tokenizer, dict(cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]")


def mpnet_wordpiece():
    tokenizer = word_pieces(["<s>", "<pad>", "</s>", "[UNK]", "<mask>"])
    tokenizer.post_processor = roberta_frame(tokenizer)
    return tokenizer, dict(bos_token="<s>", cls_token="<s>", eos_token="</s>", sep_token="</s>", pad_token="<pad>", unk_token="[UNK]")


def bytelevel(special, prefix_space):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def roberta_bpe():
    tokenizer = bytelevel(["<s>", "<pad>", "</s>", "<unk>", "<mask>"], False)
    tokenizer.post_processor = roberta_frame(tokenizer)
    return tokenizer, dict(bos_token="<s>", cls_token="<s>", eos_token="</s>", sep_token="</s>", pad_token="<pad>", unk_token="<unk>")


def modernbert_bpe():
    tokenizer = bytelevel(["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"], False)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.post_processor = template("[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", tokenizer, "[CLS]", "[SEP]")
    return tokenizer, dict(cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]")


def template(single, pair, tokenizer, *special):
    return processors.TemplateProcessing(single=single, pair=pair, special_tokens=[(token, tokenizer.token_to_id(token)) for token in special])


def field(message, wanted):
    """The bytes of a length-delimited field of a protocol buffer."""

    def varint(at):
        value = shift = 0
        while True:
            value |= (message[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if message[at - 1] < 128:
                return value, at

    at = 0
    while at < len(message):
        key, at = varint(at)
        kind = key & 7
        length, at = varint(at) if kind in (0, 2) else ({1: 8, 5: 4}[kind], at)
        if kind == 2 and key >> 3 == wanted:
            return message[at : at + length]
        at += 0 if kind == 0 else length
    raise KeyError(wanted)


def unigram(special, unknown):
    """A sentencepiece unigram with a small table of character rules, as tokenizer.json has it."""
    rules = Path("/tmp/bases-rules.tsv")
    pairs = [("e\u0301", "é"), ("\uff1f", "?"), ("\uff0c", ","), ("\u3000", " "), ("\t", " "), ("½", "1/2")]
    rules.write_text("\n".join("\t".join(" ".join(f"{ord(c):X}" for c in part) for part in pair) for pair in pairs) + "\n")
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES), model_writer=out, model_type="unigram", vocab_size=190, character_coverage=1.0,
        normalization_rule_tsv=str(rules), bos_id=-1, eos_id=-1, pad_id=-1, unk_id=0, hard_vocab_limit=False, minloglevel=2,
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=out.getvalue())
    pieces = [(processor.id_to_piece(id), processor.get_score(id)) for id in range(1, processor.get_piece_size())]
    charsmap = field(field(out.getvalue(), 3), 2)
    vocab = [(token, 0.0) for token in special] + pieces
    tokenizer = Tokenizer(models.Unigram(vocab, unk_id=special.index(unknown)))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Precompiled(charsmap), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer


def xlm_unigram():
    tokenizer = unigram(["<s>", "<pad>", "</s>", "<unk>"], "<unk>")
    tokenizer.post_processor = template("<s> $A </s>", "<s> $A </s> </s> $B </s>", tokenizer, "<s>", "</s>")
    return tokenizer, dict(bos_token="<s>", cls_token="<s>", eos_token="</s>", sep_token="</s>", pad_token="<pad>", unk_token="<unk>")


def deberta_unigram():
    tokenizer = unigram(["[PAD]", "[CLS]", "[SEP]", "[UNK]"], "[UNK]")
    tokenizer.post_processor = template("[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", tokenizer, "[CLS]", "[SEP]")
    return tokenizer, dict(bos_token="[CLS]", cls_token="[CLS]", eos_token="[SEP]", sep_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]")


def random_weights(model, spread):
    """Random, exact in f16 and in bf16, and large enough that every part of the encoder shows in the result."""
    torch.manual_seed(7)
    for name, parameter in model.named_parameters():
        noise = torch.randn_like(parameter) * (0.1 if "norm" in name.lower() or name.endswith("bias") else spread)
        centre = 1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0
        parameter.data = (centre + noise).bfloat16().half().bfloat16().float()


# Family, its checkpoint's class, tokenizer, config as the hub has it, and how the weights are stored.
FAMILIES = {
    "bert": (hf.BertForMaskedLM, wordpiece, dict(model_type="bert", **shapes(
        hidden_act="gelu", max_position_embeddings=POSITIONS, type_vocab_size=2, layer_norm_eps=1e-12, pad_token_id=0)), "gamma"),
    "roberta": (hf.RobertaForMaskedLM, roberta_bpe, dict(model_type="roberta", **shapes(
        hidden_act="gelu", max_position_embeddings=POSITIONS + 2, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1, bos_token_id=0,
        eos_token_id=2)), "f16"),
    "xlm-roberta": (hf.XLMRobertaModel, xlm_unigram, dict(model_type="xlm-roberta", **shapes(
        hidden_act="gelu", max_position_embeddings=POSITIONS + 2, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1, bos_token_id=0,
        eos_token_id=2)), "pickle"),
    "distilbert": (hf.DistilBertForMaskedLM, wordpiece, dict(
        model_type="distilbert", activation="gelu", dim=HIDDEN, hidden_dim=INNER, n_heads=HEADS, n_layers=LAYERS,
        max_position_embeddings=POSITIONS, sinusoidal_pos_embds=False, tie_weights_=True, pad_token_id=0), "f32"),
    "deberta-v3": (hf.DebertaV2Model, deberta_unigram, dict(model_type="deberta-v2", **shapes(
        hidden_act="gelu", max_position_embeddings=POSITIONS, max_relative_positions=-1, position_buckets=8, relative_attention=True,
        position_biased_input=False, pos_att_type="p2c|c2p", share_att_key=True, norm_rel_ebd="layer_norm", type_vocab_size=0,
        layer_norm_eps=1e-7, pad_token_id=0)), "f32"),
    "deberta-v2": (hf.DebertaV2ForTokenClassification, deberta_unigram, dict(model_type="deberta-v2", **shapes(
        hidden_act="gelu", max_position_embeddings=POSITIONS, max_relative_positions=16, relative_attention=True,
        position_biased_input=True, pos_att_type=["c2p", "p2c"], type_vocab_size=2, layer_norm_eps=1e-7, pad_token_id=0)), "bf16"),
    "modernbert": (hf.ModernBertForMaskedLM, modernbert_bpe, dict(model_type="modernbert", **{**shapes(
        hidden_activation="gelu", max_position_embeddings=POSITIONS, norm_eps=1e-5, norm_bias=False, attention_bias=False, mlp_bias=False,
        global_rope_theta=160000.0, local_rope_theta=10000.0, local_attention=8, global_attn_every_n_layers=2, pad_token_id=3,
        cls_token_id=1, sep_token_id=2, bos_token_id=1, eos_token_id=2, classifier_pooling="mean", decoder_bias=True),
        "num_hidden_layers": 3}), "shards"),
    "mpnet": (hf.MPNetForMaskedLM, mpnet_wordpiece, dict(model_type="mpnet", **shapes(
        hidden_act="gelu", max_position_embeddings=POSITIONS + 2, relative_attention_num_buckets=32, layer_norm_eps=1e-5, pad_token_id=1,
        bos_token_id=0, eos_token_id=2)), "f16"),
}


def store(folder, tensors, form):
    if form == "gamma":  # names of the first BERT checkpoints
        rename = lambda name: name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        save_file({rename(name): tensor for name, tensor in tensors.items()}, folder / "model.safetensors")
    elif form == "pickle":
        torch.save(tensors, folder / "pytorch_model.bin")
    elif form == "shards":
        names = sorted(tensors)
        halves = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
        for file, part in halves.items():
            save_file({name: tensors[name].half() for name in part}, folder / file)
        index = {"metadata": {}, "weight_map": {name: file for file, part in halves.items() for name in part}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1))
    else:
        kind = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[form]
        save_file({name: tensor.to(kind) for name, tensor in tensors.items()}, folder / "model.safetensors")


def golden(folder, fast, model, special):
    tokenizer = hf.PreTrainedTokenizerFast(tokenizer_object=fast, **special)
    rows, states = [], {}
    for index, (text, context) in enumerate(GOLDEN):
        ids = tokenizer(text, truncation=False, padding=False)["input_ids"]
        segments = [0] * len(ids)
        if context:
            end = tokenizer.sep_token_id
            first = tokenizer(text, context[0], truncation=False, padding=False)["input_ids"]
            start = len(ids) + tokenizer.num_special_tokens_to_add(pair=True) - 3  # one token before, one behind each turn
            ids = list(first)
            for turn in context[1:]:
                ids += [*tokenizer(turn, add_special_tokens=False, truncation=False, padding=False)["input_ids"], end]
            segments = [0] * start + [1] * (len(ids) - start)
        types = getattr(model.config, "type_vocab_size", 0) or 0
        more = {"token_type_ids": torch.tensor([segments])} if types > 1 else {}
        with torch.no_grad():
            states[str(index)] = model(input_ids=torch.tensor([ids]), **more).last_hidden_state[0].contiguous()
        rows.append({"text": text, "context": context, "ids": ids, "segments": segments})
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "golden.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    save_file(states, folder / "golden.safetensors")


def make(folder, family):
    kind, tokenize, config, form = FAMILIES[family]
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.*"):
        old.unlink()
    fast, special = tokenize()
    config = {"architectures": [kind.__name__], **config, "vocab_size": fast.get_vocab_size()}
    settings = kind.config_class(**{key: value for key, value in config.items() if key != "model_type"})
    settings._attn_implementation = "eager"
    model = kind(settings).eval()
    random_weights(model, 0.25)
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    fast.save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "tokenizer_config.json").write_text(json.dumps({**special, "tokenizer_class": "PreTrainedTokenizerFast"}, indent=1))
    tensors = {name: tensor.detach().clone().contiguous() for name, tensor in model.state_dict().items()}
    heavy = ("cls.predictions.decoder", "lm_head.decoder", "vocab_projector.weight", "decoder.weight")
    store(folder, {name: tensor for name, tensor in tensors.items() if not name.startswith(heavy)}, form)
    encoder = getattr(model, model.base_model_prefix, model)
    golden(folder, fast, encoder, special)
    if family == "distilbert":
        (folder / "1_Pooling").mkdir(exist_ok=True)
        (folder / "1_Pooling/config.json").write_text(json.dumps({"word_embedding_dimension": HIDDEN, "pooling_mode_cls_token": True}))
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"{family}: {size} bytes, vocabulary {config['vocab_size']}")


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    for family in sys.argv[2:] or FAMILIES:
        make(Path(sys.argv[1]) / family, family)


if __name__ == "__main__":
    main()

"""What a peer's file in this folder provides: a class `Encoder` with the three members below. Work: token ids in, mean-pooled vectors out."""

import numpy


class Engine:
    """One peer, loaded. `prepare` is called once, then `run` any number of times, from `streams` Python threads at once."""

    name = ""

    @staticmethod
    def settings(line, threads, purpose):
        """The ways to run this peer that are tried, as dictionaries for `prepare`; the fastest is kept.

        `purpose` is `latency` (one message at a time) or `mix` (many). Every setting has `streams`, the batches computed at once.
        """
        raise NotImplementedError

    def prepare(self, exports, threads, line, setting):
        """Loads the model from the folder of exports, for `threads` threads in all."""
        raise NotImplementedError

    def run(self, messages):
        """Lists of token ids, one a message, to an array [messages, hidden]."""
        raise NotImplementedError


def padded(messages):
    """Lists of token ids to the arrays ids and mask, both [messages, longest] of 64-bit integers."""
    longest = max(map(len, messages))
    ids = numpy.zeros((len(messages), longest), dtype=numpy.int64)
    mask = numpy.zeros_like(ids)
    for row, message in enumerate(messages):
        ids[row, : len(message)] = message
        mask[row, : len(message)] = 1
    return ids, mask


def one_or_many_streams(threads):
    """Either one batch on all threads, or as many batches at once as there are threads, each on one."""
    return [{"streams": 1}] if threads == 1 else [{"streams": 1}, {"streams": threads}]

"""CPU time, taken in rounds: every contender once a round, in random order, so that noise meets all alike."""

import gc
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import median
from time import process_time

SLICE = 0.02


@dataclass
class Contender:
    """Something that is timed on each of some subjects. What `prepare` does is not part of the time."""

    name: str
    work: Callable
    subjects: Sequence
    prepare: Callable = lambda: None
    loops: int = 1
    seconds: list[float] = field(default_factory=list)

    @property
    def cost(self):
        """CPU seconds for one subject: the median of the rounds."""
        return median(self.seconds)

    @property
    def rate(self):
        """Subjects in one CPU second."""
        return 1 / self.cost

    @property
    def best(self):
        """Subjects in one CPU second of the best round, when the machine was least disturbed."""
        return 1 / min(self.seconds)

    def times(self, floor):
        """How many times the cost of another contender: the median of the ratios within each round."""
        pairs = zip(self.seconds, floor.seconds, strict=True)
        return median(own / other for own, other in pairs)

    def turn(self):
        """CPU seconds for one subject, this time."""
        self.prepare()
        work, subjects = self.work, self.subjects
        start = process_time()
        for _ in range(self.loops):
            for subject in subjects:
                work(subject)
        return (process_time() - start) / self.loops / len(subjects)


def race(contenders, rounds):
    """Time all contenders, `rounds` turns each, long enough to be told from what was in the caches before."""
    for contender in contenders:
        contender.turn()
        contender.loops = ceil(SLICE / (contender.turn() * len(contender.subjects)))
    order = list(contenders)
    shuffle = random.Random(1).shuffle
    for _ in range(rounds):
        gc.collect()
        shuffle(order)
        for contender in order:
            contender.seconds.append(contender.turn())

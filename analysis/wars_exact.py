#!/usr/bin/env python3
"""The WARS model's own p99.9 latencies, without sampling: the sum of two legs is integrated numerically, and the quorum is an
order statistic of independent replicas. Prints the table of docs/papers.md, beside the published values.

Usage: wars_exact.py
"""

import math

SSD = (0.9122, 0.235, 10, 1.66)  # share of Pareto(minimum ms, shape), the rest exponential (rate a ms)
DISK = (0.38, 1.05, 1.51, 0.183)
YMMR_W = (0.939, 3, 3.5, 0.0028)
YMMR = (0.982, 1.5, 3.8, 0.0217)
# First leg of a write, every other leg, what two legs between sites take more.
FITS = {"SSD": (SSD, SSD, 0), "DISK": (DISK, SSD, 0), "YMMR": (YMMR_W, YMMR, 0), "WAN": (DISK, SSD, 150)}
QUORUMS = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (1, 3)]
PUBLISHED = {
    "SSD": ".66/.66 .66/1.63 1.63/.65 1.62/1.64 4.14/.65 .65/4.09",
    "DISK": ".66/10.99 .65/20.97 1.63/10.9 1.64/20.96 4.12/10.89 .65/112.65",
    "YMMR": "5.58/10.83 5.61/427.12 32.6/10.73 33.18/428.11 219.27/10.79 5.63/1870.86",
    "WAN": "3.4/55.12 3.4/167.64 151.3/56.36 151.31/167.72 153.86/55.19 3.44/241.55",
}
STEPS = 6000


class TwoLegs:
    """The tail of the sum of two legs."""

    def __init__(self, first, second):
        self.first, self.known, self.points = first, {}, []
        share, minimum, shape, rate = second
        for i in range(STEPS):  # midpoints, denser in the tail
            at = (i + 0.5) / STEPS
            tail, weight = at ** 3, 3 * at * at / STEPS
            self.points.append((minimum * tail ** (-1 / shape), share * weight))
            self.points.append((-math.log(tail) / rate, (1 - share) * weight))
        self.weight = sum(weight for _, weight in self.points)

    def first_later(self, x):
        share, minimum, shape, rate = self.first
        pareto = (minimum / x) ** shape if x > minimum else 1
        return share * pareto + (1 - share) * (math.exp(-rate * x) if x > 0 else 1)

    def later(self, x):
        if x <= 0:
            return 1.0
        if x not in self.known:
            self.known[x] = sum(weight * self.first_later(x - leg) for leg, weight in self.points) / self.weight
        return self.known[x]


def at_least(chances, k):
    """P(at least k of independent events)."""
    counts = [1.0]
    for chance in chances:
        counts = [(counts[i] * (1 - chance) if i < len(counts) else 0) + (counts[i - 1] * chance if i else 0)
                  for i in range(len(counts) + 1)]
    return sum(counts[k:])


def quorum_quantile(legs, remote, k, share=0.999):
    low, high = 0.01, 20000.0
    for _ in range(46):
        middle = (low + high) / 2
        answered = [1 - legs.later(middle)] + [1 - legs.later(middle - remote)] * 2
        low, high = (middle, high) if at_least(answered, k) < share else (low, middle)
    return low


def main():
    print("| fit | R, W | read: published | exact | write: published | exact |\n|---|---|---|---|---|---|")
    for name, (write, other, remote) in FITS.items():
        reads, writes = TwoLegs(other, other), TwoLegs(write, other)
        read = {k: quorum_quantile(reads, remote, k) for k in (1, 2, 3)}
        wrote = {k: quorum_quantile(writes, remote, k) for k in (1, 2, 3)}
        for (r, w), published in zip(QUORUMS, PUBLISHED[name].split()):
            of_read, of_write = map(float, published.split("/"))
            print(f"| {name} | {r}, {w} | {of_read:g} | {read[r]:.4g} ({read[r] / of_read - 1:+.2%}) "
                  f"| {of_write:g} | {wrote[w]:.5g} ({wrote[w] / of_write - 1:+.2%}) |")


if __name__ == "__main__":
    main()

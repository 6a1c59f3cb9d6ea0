#!/usr/bin/python3
"""SimPy's side of the scheduler benchmark: scheduler_simpy.py timers|ping_pong PENDING EVENTS prints events per CPU second.

Timers are generator processes, SimPy's own way; a message is a bare timeout with a callback, its cheapest. Delays are
drawn beforehand, so that Python's generator of random numbers is not what is measured.
"""

import itertools
import random
import sys
import time

import simpy

DELAY_MAX = 2000
PROCESSES = 10


def main():
    pattern, pending, events = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    draw = random.Random(1)
    delay = itertools.cycle([1 + draw.randrange(DELAY_MAX) for _ in range(1 << 16)]).__next__
    env = simpy.Environment()

    if pattern == "timers":
        def timer(timeout):
            while True:
                yield timeout(delay())

        for _ in range(pending):
            env.process(timer(env.timeout))
    else:
        def send(message, timeout=env.timeout):
            timeout(delay(), message).callbacks.append(arrives)

        def arrives(event):
            source, target, payload = event.value
            send((target, source, payload))

        for i in range(pending):
            source = i % PROCESSES
            send((source, (source + 1 + i // PROCESSES % (PROCESSES - 1)) % PROCESSES, b"0123456789abcdef"))

    step = env.step
    for _ in range(2 * pending):
        step()
    started = time.process_time()
    for _ in range(events):
        step()
    print(events / (time.process_time() - started))


main()

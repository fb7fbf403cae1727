"""The cases by subject, in playing order: a lock's news grow newer as the kit goes on, never older."""

from simulation.conformance.cases import (
    commissioning,
    framing,
    freshness,
    handshakes,
    installing,
    logs,
    manifests,
    news,
    programs,
    requests,
    revocations,
    sessions,
    suite2,
    times,
    tokens,
)

CHAPTERS = (
    freshness.CHAPTER,
    requests.CHAPTER,
    tokens.CHAPTER,
    handshakes.CHAPTER,
    framing.CHAPTER,
    suite2.CHAPTER,
    sessions.CHAPTER,
    times.CHAPTER,
    news.CHAPTER,
    revocations.CHAPTER,
    logs.CHAPTER,
    manifests.CHAPTER,
    programs.CHAPTER,
    installing.CHAPTER,
    commissioning.CHAPTER,
)

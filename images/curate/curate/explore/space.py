"""Samples as points: their vectors, the clusters of these, and where they lie on a map."""

from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np
import numpy.typing as npt

from contract.config.embedding import Embedding
from contract.config.explore import Topics
from contract.failures import BadConfig
from curate.embed.cache import remembering
from curate.embed.load import embedder
from curate.embed.skipgram import training_rows
from curate.explore.draw import Drawn
from curate.explore.terms import Terms
from stagekit.store import Store

Points = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
NONE = -1
FEWEST, MOST = 2, 24  # topics of k-means, where nobody says how many
PROBED = 500  # points whose neighbours tell how many all of them have
PAIRS = 50_000_000  # neighbours that DBSCAN may hold: 400 MB
PERPLEXITY = 30.0
STEPS = 500


def vectors_of(rows: Sequence[Drawn], terms: Terms, config: Topics, cache: Store | None) -> Points:
    """One vector of length 1 per row, in at most `config.dimensions` dimensions; zeros where there is nothing to go by.

    From TF-IDF (with the logarithm of counts) by truncated SVD, which is latent semantic analysis (Deerwester et al.
    1990), or from the encoder.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfTransformer

    if config.embedding:
        wide = _embedded(rows, config.embedding, cache)
    else:
        wide = TfidfTransformer(sublinear_tf=True).fit_transform(terms.counts)
    width = max(1, min(config.dimensions, *wide.shape))
    found = TruncatedSVD(width, random_state=config.seed).fit_transform(wide).astype(np.float64)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    vectors: Points = np.divide(found, lengths, out=np.zeros_like(found), where=lengths > 1e-9)
    return vectors


def _embedded(rows: Sequence[Drawn], config: Embedding, cache: Store | None) -> npt.NDArray[np.float32]:
    """Vectors by the encoder; those of a sentence-transformer are kept in `cache` for later runs."""
    texts = [row.text for row in rows]
    lengths = np.array([len(text.split()) for text in texts], np.int64)
    hashes = np.arange(len(texts), dtype=np.uint64)  # rows come in the order of their hashes already
    encoder = embedder(config, lambda: [texts[row] for row in training_rows(hashes, lengths, config.training_words)])
    with remembering(encoder, cache) if cache and config.model else nullcontext(encoder) as source:
        return source.embed(texts)


def clusters_of(vectors: Points, config: Topics) -> Numbers:
    """The number of each vector's cluster, or `NONE`; zero vectors are in none.

    k-means (Lloyd 1982, with k-means++), HDBSCAN (Campello, Moulavi and Sander 2013) or DBSCAN (Ester et al. 1996).
    """
    labels = np.full(len(vectors), NONE, np.int64)
    some = np.flatnonzero(vectors.any(axis=1))
    least = config.least or max(5, len(some) // 100)
    if config.method == "kmeans":
        labels[some] = _k_means(vectors[some], config)
    elif len(some) < max(least, 2):  # no region of so few can be dense enough
        return labels
    elif config.method == "hdbscan":
        from sklearn.cluster import HDBSCAN

        labels[some] = HDBSCAN(min_cluster_size=max(least, 2), copy=True).fit_predict(vectors[some])
    else:
        labels[some] = _dbscan(vectors[some], config.distance, least)
    return labels


def _k_means(vectors: Points, config: Topics) -> Numbers:
    from sklearn.cluster import KMeans

    different = len(np.unique(vectors.round(6), axis=0))
    wanted = config.count or min(max(round((len(vectors) / 10) ** 0.5), FEWEST), MOST)
    if not different:
        return np.empty(0, np.int64)
    found: Numbers = KMeans(min(wanted, different), n_init=3, random_state=config.seed).fit_predict(vectors)
    return found


def _dbscan(vectors: Points, distance: float, least: int) -> Numbers:
    from sklearn.cluster import DBSCAN

    probes = vectors[:PROBED]
    near = float((probes @ vectors.T >= 1 - distance**2 / 2).mean()) * len(vectors) ** 2
    if near > PAIRS:
        raise BadConfig(
            f"about {near:,.0f} pairs of samples are within {distance:g} of each other",
            expected=f"at most {PAIRS:,}",
            where="topics.distance",
            hint="lower `topics.distance` or `sample`; or `method: hdbscan`, which lists no pairs",
        )
    found: Numbers = DBSCAN(eps=distance, min_samples=least).fit_predict(vectors)
    return found


def places_of(vectors: Points, config: Topics) -> Points:
    """Where vectors lie on a map, shape `(vectors, 2)`, from 0 to 1 each way; near ones lie near each other.

    By principal components, or by t-SNE (van der Maaten and Hinton 2008) that starts from these.
    """
    from sklearn.decomposition import PCA

    if len(vectors) < 2 or vectors.shape[1] < 2 or not vectors.any():
        return np.full((len(vectors), 2), 0.5)
    flat = PCA(2, random_state=config.seed).fit_transform(vectors)
    spread = float(flat[:, 0].std())
    if config.layout == "tsne" and len(vectors) > PERPLEXITY and spread > 0:
        from sklearn.manifold import TSNE

        start = (flat / spread * 1e-4).astype(np.float32)
        model = TSNE(perplexity=PERPLEXITY / 1.5, init=start, max_iter=STEPS, random_state=config.seed)
        flat = model.fit_transform(vectors.astype(np.float32))
    low, high = flat.min(axis=0), flat.max(axis=0)
    placed: Points = (flat - low) / np.where(high > low, high - low, 1)
    return placed.round(4)

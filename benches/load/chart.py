"""The table as a picture: callbacks per second and 99th percentile, by connections and server."""

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt  # noqa: E402  the backend has to be chosen first

SERVERS = {
    "ours": ("dlr-receiver", "#0b6e4f"),
    "axum": ("plain axum + sqlx", "#8fa3b5"),
    "fastapi": ("FastAPI + asyncpg", "#b9a58c"),
    "express": ("Express + pg", "#c9ccd6"),
}


def draw(found, file):
    """Two panels of grouped bars, as SVG or PNG by the name of the file."""
    loads = {tuple(key[1:]): load for key, load in found.items() if key[0] == "load" and key[2] > 1}
    # The same figures give the same file.
    settings = {"font.size": 10, "svg.hashsalt": "dlr-receiver", "axes.spines.top": False, "axes.spines.right": False}
    with plt.rc_context(settings):
        figure, (rate, late) = plt.subplots(1, 2, figsize=(11, 4.2), facecolor="white", layout="constrained")
        rate.set_title("Callbacks per second (more is better)")
        bars(rate, {key: load.rate for key, load in loads.items()}, "{:,.0f}")
        late.set_title("99th percentile in milliseconds (less is better)")
        late.set_yscale("log")
        bars(late, {key: load.p99 for key, load in loads.items()}, "{:,.3g}")
        late.set_ylim(bottom=0.5)
        figure.legend(*rate.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
        file.parent.mkdir(parents=True, exist_ok=True)
        plt.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None, dpi=150)
        plt.close(figure)


def bars(axes, values, label):
    """One group per number of connections, one bar per server."""
    groups = list(dict.fromkeys(connections for _, connections in values))
    names = [name for name in SERVERS if any(name == server for server, _ in values)]
    width = 0.84 / len(names)
    for at, name in enumerate(names):
        title, colour = SERVERS[name]
        places = [group + (at - (len(names) - 1) / 2) * width for group in range(len(groups))]
        heights = [values.get((name, connections), 0) for connections in groups]
        drawn = axes.bar(places, heights, width * 0.94, label=title, color=colour)
        axes.bar_label(drawn, [label.format(height) for height in heights], fontsize=7.5, padding=2)
    axes.set_xticks(range(len(groups)), [f"{connections} connections" for connections in groups])
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y", color="#e6e6e6")
    axes.set_axisbelow(True)
    axes.yaxis.set_major_formatter("{x:,.0f}")

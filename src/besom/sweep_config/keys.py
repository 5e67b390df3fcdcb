"""Every key of a sweep file, once: type, default, help, example, and whether its work is built.

Validation, `besom check --explain`, the reference page and the JSON Schema are all made from these tables.
The options of each distribution are `besom.space.KINDS`.
"""

from __future__ import annotations

from dataclasses import dataclass

from besom.sweep_config.value_types import (
    Anything,
    Boolean,
    Choice,
    Duration,
    FreeText,
    Limit,
    ListOf,
    Number,
    Section,
    Text,
    ValueType,
    Whole,
    Word,
)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a section.

    ``instead`` tells what to write when the value has the wrong type. ``not_built`` is what to do as long as the
    key's work is missing (empty: it is built); ``unused`` is why a key of W&B's is accepted and changes nothing.
    ``also`` are words by which other tools know it.
    """

    name: str
    type: ValueType
    help: str
    example: str
    default: str = ""
    instead: str = ""
    required: bool = False
    not_built: str = ""
    unused: str = ""
    also: tuple[str, ...] = ()


PARAMETER_NAME = r"^[A-Za-z_][A-Za-z0-9_.-]*$"

METHODS = (
    Word("grid", "every combination of the listed values, once; the sweep ends with the last one"),
    Word("random", "independent draws; on a finite space each combination once"),
    Word("bayes", "looks at results: a Gaussian process suggests the next run", "write `random` or `grid`"),
    Word("tpe", "looks at results: values that good runs have and others have not (tree-structured Parzen estimator)"),
    Word("sobol", "draws that are evenly spread (scrambled Sobol sequence); on a finite space each combination once"),
    Word("cmaes", "looks at results: CMA-ES", "write `random`"),
    Word("nsga2", "several metrics: NSGA-II", "write `random` and follow one metric"),
    Word("custom", "runs chosen by a program of your own", "write `random` or `grid`"),
)

STOPPING_RULES = (
    Word("hyperband", "W&B's rule: at each rung the best 1/eta of the runs go on, the others end"),
    Word("asha", "successive halving: at each rung the top 1/eta go on, once eta runs were there"),
    Word("median", "ends runs whose best value is worse than the median of the others' running means"),
    Word("percentile", "looks often: the best `percentile` percent of the runs go on"),
    Word("threshold", "ends runs that log a value above `upper` or below `lower`"),
    Word("plateau", "ends runs whose last `patience` values brought no improvement of more than `min_delta`"),
    Word("nan", "ends runs whose last `patience` values were NaN or infinite, after a finite one"),
)
_ALSO_RULES = {
    "envelope": "hyperband", "successive_halving": "asha", "sha": "asha", "median_stopping": "median",
    "bounds": "threshold", "patient": "plateau", "diverged": "nan",
}  # fmt: skip

_CONTROLLERS = (
    Word("cloud", "the server"),
    Word("local", "a program of your own", "leave `controller` out: the server chooses the runs"),
)

_ALSO_METHODS = {"gridsearch": "grid", "randomsearch": "random", "bayesian": "bayes", "hyperopt": "tpe", "qmc": "sobol"}
_ALSO_GOALS = {"min": "minimize", "max": "maximize", "maxmize": "maximize", "minmize": "minimize"}


def _one_of(*names: str, also: dict[str, str] | None = None) -> Choice:
    return Choice(tuple(Word(name) for name in names), also)


_SWEEP = (
    Key("method", Choice(METHODS, _ALSO_METHODS), "How the next run's values are chosen.", "method: random",
        required=True, also=("strategy", "algorithm", "search", "search_method")),
    Key("parameters", Section("parameters"), "What is searched: a name for each parameter, and below it its values.",
        "parameters: {lr: {values: [0.01, 0.001]}, epochs: {value: 10}}", required=True,
        also=("params", "hyperparameters", "search_space", "config", "space")),
    Key("metric", Section("metric", "a mapping with `name` and `goal`"),
        "What a run is judged by. Needed by `early_terminate` and by methods that look at results.",
        "metric: {name: val_loss, goal: minimize}", also=("objective", "optimize", "monitor")),
    Key("program", Text(), "The script of each run; `${program}` in `command`.", "program: train.py",
        also=("script", "file", "entrypoint")),
    Key("command", ListOf("words"), "How a run is started: words and macros, no shell.",
        'command: ["${env}", "${interpreter}", "${program}", "${args}"]',
        default='["${env}", "${interpreter}", "${program}", "${args}"]', also=("cmd", "args")),
    Key("name", Text(), "The sweep's name in lists and on its page.", "name: first try", default="the sweep's id",
        also=("title", "sweep_name")),
    Key("description", FreeText(), "What the sweep is about.", "description: does momentum help?",
        also=("notes", "desc", "comment")),
    Key("project", Text(), "The project it belongs to.", "project: digits",
        default="named after the program's repository or folder"),
    Key("entity", Text(), "Whose project it is.", "entity: ada", default="the entity of who asks",
        also=("user", "team", "owner")),
    Key("early_terminate", Section("early_terminate", "a mapping with a `type`, or a list of them", many=True),
        "The rule, or a list of rules, that ends bad runs early.", "early_terminate: {type: hyperband, min_iter: 3}",
        also=("early_stopping", "early_stop", "early_termination", "stopping", "pruner")),
    Key("run_cap", Whole(1), "The most runs that the sweep makes, over all agents.", "run_cap: 20", default="no limit",
        instead="leave the key out for no limit", also=("count", "max_runs", "num_runs", "n_trials", "budget")),
    Key("time_cap", Duration(), "No new run is handed out this long after the sweep's first run began.",
        'time_cap: "8h"', default="no limit", also=("timeout", "max_time", "time_limit")),
    Key("seed", Whole(0), "Makes grid order and draws reproducible: run number and seed fix the values.", "seed: 7",
        default="drawn when the sweep is made", also=("random_seed", "random_state")),
    Key("order", _one_of("sequential", "shuffled"), "The order of a grid's points.", "order: shuffled",
        default="sequential", also=("randomize_order", "shuffle")),
    Key("allow_repeats", Boolean(),
        "Lets the same point of a finite space be drawn again, without end; not for `grid`.", "allow_repeats: true",
        default="false", also=("repeat", "with_replacement")),
    Key("retry", Section("retry"), "Further attempts of a run that did not finish.",
        "retry: {failed: 1, crashed: 2, preempted: unlimited}", also=("retries", "max_retries")),
    Key("prior_runs", ListOf("run ids", items={"type": "string"}), "Existing runs that count as tried.",
        "prior_runs: [k3v9x2ab]", also=("prior_run",)),
    Key("initial_points", ListOf("mappings", items={"type": "object"}), "Points that run first.",
        "initial_points: [{lr: 0.01}]", not_built="leave it out, or run those points as a grid first"),
    Key("require", Anything(), "Expressions over parameters that every point must meet.",
        'require: ["batch_size * accumulate <= 256"]', not_built="leave it out, or let the script end at once",
        also=("constraint", "filter")),
    Key("repeats", Section("repeats"), "Runs each point over several seeds and ranks by the mean.",
        "repeats: {n: 3, seed_parameter: seed}", not_built="list the seeds: `seed: {values: [1, 2, 3]}`"),
    Key("metrics", ListOf("metrics", 2), "Several metrics at once.",
        "metrics: [{name: loss}, {name: latency}]", not_built="follow one `metric`"),
    Key("constraints", Anything(), "Limits that logged values must keep.", 'constraints: ["latency < 20"]',
        not_built="leave it out"),
    Key("compute_cap", Duration(), "No new run is handed out once all runs together have trained this long.",
        'compute_cap: "100h"', default="no limit", also=("max_compute", "gpu_hours")),
    Key("plateau", Section("plateau"), "Ends the sweep when the last runs brought no better best.",
        "plateau: {runs: 30}", also=("patience",)),
    Key("controller", Section("controller"), "Who chooses runs; here always the server.", "controller: {type: cloud}",
        unused="the server always chooses the runs"),
    Key("scheduler", Anything(), "W&B's launch and search back ends.", "scheduler: {engine: wandb}",
        unused="it belongs to W&B's own servers"),
    Key("settings", Anything(), "Run settings of W&B's launch.", "settings: {}", unused="it belongs to W&B's launch"),
    Key("job", Anything(), "A job of W&B's launch.", "job: team/project/job:latest",
        unused="it belongs to W&B's launch"),
    Key("image_uri", Anything(), "An image of W&B's launch.", "image_uri: repo/image:tag",
        unused="it belongs to W&B's launch"),
    Key("apiVersion", Anything(), "Decoration.", "apiVersion: v1", unused="it says nothing about the sweep"),
    Key("kind", Anything(), "Decoration.", "kind: sweep", unused="it says nothing about the sweep"),
)  # fmt: skip

_PARAMETER = (
    Key("distribution", Text("the name of a distribution"),
        "The law by which values are drawn; without it the other keys tell.", "distribution: log_uniform_values",
        also=("dist", "type", "prior", "sampling")),
    Key("value", Anything(), "One fixed value for all runs.", "value: 10", also=("const", "constant", "default")),
    Key("values", ListOf("values", 1), "A list of values to choose from.", "values: [16, 32, 64]",
        also=("choices", "options", "list", "categories")),
    Key("probabilities", ListOf("numbers that add up to 1", 1, {"type": "number"}), "How likely each of `values` is.",
        "probabilities: [0.5, 0.3, 0.2]", also=("weights", "probs", "p")),
    Key("min", Number(), "The lower bound.", "min: 0.0001", also=("low", "lower", "minimum", "start")),
    Key("max", Number(), "The upper bound.", "max: 0.1", also=("high", "upper", "maximum", "end", "stop")),
    Key("mu", Number(), "The mean, of a normal distribution or of the logarithm.", "mu: 0", "0", also=("mean", "loc")),
    Key("sigma", Number(), "The standard deviation, 0 or more.", "sigma: 1", "1", also=("std", "scale")),
    Key("q", Number(0), "Values are multiples of it; whole numbers if it is written without a point.", "q: 8", "1.0",
        also=("step", "quantum", "quantization")),
    Key("a", Number(), "First shape of beta, 0 or more.", "a: 2", "1", also=("alpha",)),
    Key("b", Number(), "Second shape of beta, 0 or more.", "b: 5", "1", also=("beta",)),
    Key("parameters", Section("parameters"), "A group of parameters: a nested dict in the run's config.",
        "parameters: {lr: {values: [0.01, 0.001]}}", also=("params",)),
    Key("when", Anything(), "A condition on another parameter.", "when: {optimizer: sgd}",
        not_built="leave it out, or make one sweep for each case", also=("if", "condition")),
)  # fmt: skip

_METRIC = (
    Key("name", Text(), "The name under which the script logs it; `val.loss` also finds nested logs.", "name: val_loss",
        required=True, also=("key", "metric")),
    Key("goal", _one_of("minimize", "maximize", also=_ALSO_GOALS), "Which way is better.", "goal: maximize", "minimize",
        also=("direction", "objective")),
    Key("mode", _one_of("best", "last"), "Which of a run's values is its score.", "mode: last", "best"),
    Key("target", Number(), "No new run is handed out once a run's score reaches it.", "target: 0.99", "no target",
        also=("threshold",)),
    Key("impute", _one_of("worst", "best", "latest"), "What stands for the score of a run that ended badly.",
        "impute: worst", "worst"),
    Key("impute_while_running", _one_of("false", "worst", "best", "latest"),
        "What stands for the score of a run that still runs.", 'impute_while_running: "false"', "false"),
)  # fmt: skip

_EARLY_TERMINATE = (
    Key("type", Choice(STOPPING_RULES, _ALSO_RULES), "The rule.", "type: hyperband", required=True,
        also=("name", "method")),
    Key("min_iter", Whole(1), "The first rung, in logged values of the metric. `hyperband`, `asha`: the next ones are "
        "eta times as far. `median`, `percentile`: they follow closely.", "min_iter: 3",
        also=("min_iterations", "min_steps", "warmup")),
    Key("max_iter", Whole(1), "The full length of a run. `asha`: no rung there or above. `hyperband`: needs `s`, the "
        "rungs are max_iter/eta, max_iter/eta² and so on.", "max_iter: 27", also=("max_iterations", "max_steps")),
    Key("s", Whole(1), "How many rungs `max_iter` makes (`hyperband`).", "s: 2", also=("brackets", "bracket")),
    Key("eta", Number(1), "At a rung the best 1/eta of the runs go on.", "eta: 3", "3", also=("reduction_factor",)),
    Key("strict", Boolean(), "Judges the value at the rung (true) or the best value up to it (false).", "strict: true",
        "true; `percentile` false"),
    Key("percentile", Number(0), "Of the runs at a rung, the best this many percent go on (`percentile`).",
        "percentile: 25", "50", also=("percent", "quantile")),
    Key("every", Whole(1), "How far two looks lie apart at least (`median`, `percentile`); a long run is looked at "
        "each time it has become a fifth longer.", "every: 10", "1", also=("interval", "interval_steps")),
    Key("upper", Number(), "A value above it ends the run (`threshold`).", "upper: 10", also=("max", "above")),
    Key("lower", Number(), "A value below it ends the run (`threshold`).", "lower: 0.1", also=("min", "below")),
    Key("patience", Whole(1), "How many values in a row are too many: without an improvement (`plateau`), or that are "
        "NaN or infinite (`nan`).", "patience: 10", "10; `nan` 5", also=("wait", "rounds")),
    Key("min_delta", Number(), "Only a value that is better by more than this is an improvement (`plateau`).",
        "min_delta: 0.001", "0", also=("delta", "tolerance")),
    Key("resource", Text(), "A key that is logged with the metric, and whose value measures the rungs in place of the "
        "count of values; `_step` is the step.", "resource: epoch", also=("time_attr", "resource_attr", "unit")),
    Key("min_peers", Whole(1), "A run is judged once this many runs have reached its rung, itself included.",
        "min_peers: 3", "1; `asha` eta, `median` and `percentile` 5", also=("n_startup_trials", "min_runs")),
    Key("grace", Whole(0), "Rungs below this number are left out.", "grace: 5", "0",
        also=("grace_period", "n_warmup_steps")),
    Key("nan", Section("nan"), "Ends runs whose last values were all NaN or infinite, after a finite one; without it "
        "they go on.", "nan: {patience: 5}"),
)  # fmt: skip

_RETRY = (
    Key("failed", Limit(), "Further attempts after the script exits with an error.", "failed: 1", "0"),
    Key("crashed", Limit(), "Further attempts after an agent or its machine is lost.", "crashed: 2", "2"),
    Key("preempted", Limit(), "Further attempts after a preemption.", "preempted: unlimited", "unlimited"),
)

_REPEATS = (
    Key("n", Whole(1), "How many seeds.", "n: 3", required=True),
    Key("seed_parameter", Text(), "The parameter that takes the seed.", "seed_parameter: seed", "seed"),
)

SECTIONS: dict[str, tuple[Key, ...]] = {
    "sweep": _SWEEP,
    "parameter": _PARAMETER,
    "metric": _METRIC,
    "early_terminate": _EARLY_TERMINATE,
    "nan": (Key("patience", Whole(1), "How many such values in a row.", "patience: 5", "5"),),
    "retry": _RETRY,
    "repeats": _REPEATS,
    "plateau": (Key("runs", Whole(1), "How many runs without a better one.", "runs: 30", required=True),),
    "controller": (Key("type", Choice(_CONTROLLERS), "Only `cloud` has a meaning.", "type: cloud", required=True),),
}

# Where a section's keys stand, as people write it.
PLACES = {
    "sweep": "",
    "parameter": "parameters.NAME.",
    "metric": "metric.",
    "early_terminate": "early_terminate.",
    "nan": "early_terminate.nan.",
    "retry": "retry.",
    "repeats": "repeats.",
    "plateau": "plateau.",
    "controller": "controller.",
}


def key_of(section: str, name: str) -> Key | None:
    """The row of a key."""
    return next((key for key in SECTIONS[section] if key.name == name), None)


def homes(name: str) -> list[str]:
    """The sections that have a key of that name."""
    return [section for section, keys in SECTIONS.items() if any(key.name == name for key in keys)]

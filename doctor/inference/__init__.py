"""Which rules match the evidence, and why: two engines that must agree."""

from doctor.inference.about_rules import rule_diagnoses
from doctor.inference.diagnose import diagnose
from doctor.inference.durable import DurableEngine, durable_available
from doctor.inference.evaluate import Inference, infer, infer_many
from doctor.inference.freshness import demote_stale
from doctor.inference.port import BatchEngine, Engine, EngineUnavailable
from doctor.inference.reference import ReferenceEngine
from doctor.inference.strata import find_cycle, stratify

__all__ = [
    "BatchEngine",
    "DurableEngine",
    "Engine",
    "EngineUnavailable",
    "Inference",
    "ReferenceEngine",
    "demote_stale",
    "diagnose",
    "durable_available",
    "find_cycle",
    "infer",
    "infer_many",
    "rule_diagnoses",
    "stratify",
]

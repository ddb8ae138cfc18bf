"""The agent gets a turn where it is worth its price; the rules narrate in between."""

from __future__ import annotations

from fakes.histories import briefing, configured, grown, history, proposal
from tunesmith.agent.policy.turn_schedule import ScheduledPolicy
from tunesmith.history import History
from tunesmith.interfaces import Briefing, Decision, Policy, Toolbox
from tunesmith.tools.toolbox.advice import Advice
from tunesmith.tools.toolbox.study_toolbox import StudyToolbox
from tunesmith.trial import WARM_START, Origin, Proposal, Provenance


class Noting(Policy):
    """Notes after how many trials it was asked."""

    def __init__(self, name: str) -> None:
        self.name, self.asked = name, []

    def decide(self, briefing: Briefing, toolbox: Toolbox) -> Decision:
        self.asked.append(len(briefing.history.finished))
        return Decision(reason=self.name)


class Opening:
    """Has a warm start at the beginning, and suggests one of the surrogate's."""

    left = ()

    def __init__(self, *, warm: bool) -> None:
        self.warm = warm

    def __call__(self, past: History, n: int, /, on_advice=None) -> list[Proposal]:
        if self.warm and not len(past):
            warm = proposal(
                configured(width=99), origin=Origin.MODEL, provenance=Provenance(stage=WARM_START)
            )
            on_advice(Advice(launch=(warm,)))
        return [proposal(configured(width=128))]


def decide(policy: ScheduledPolicy, about: Briefing, *, warm: bool = True) -> tuple[Decision, list[Proposal]]:
    launched: list[Proposal] = []

    def launch(proposals: list[Proposal]) -> list[int]:
        launched.extend(proposals)
        return list(range(len(proposals)))

    def advise(advice: Advice) -> tuple[Proposal, ...]:
        launched.extend(advice.launch)
        return advice.launch

    box = StudyToolbox(about, suggest=Opening(warm=warm), launch=launch, on_advice=advise)
    return policy.decide(about, box), launched


def sparing() -> tuple[ScheduledPolicy, Noting, Noting]:
    agent, rules = Noting("agent"), Noting("rules")
    return ScheduledPolicy(agent, rules), agent, rules


def test_the_start_launches_the_warm_start_without_a_turn_of_the_agent():
    policy, agent, rules = sparing()
    decision, launched = decide(policy, briefing(history(), "start"))
    assert [p.configuration["width"] for p in launched] == [99]
    assert decision.wake_after == 2 and "what the language model would try" in decision.reason
    assert decision.candidates == (), "what is queued competes with nothing"
    assert agent.asked == [] and rules.asked == []


def test_where_the_model_has_nothing_to_start_from_the_rules_begin():
    policy, agent, rules = sparing()
    decision, launched = decide(policy, briefing(history(), "start"), warm=False)
    assert decision.reason == "rules" and launched == [] and agent.asked == []


def test_a_run_of_30_trials_gets_a_handful_of_turns_even_where_every_trial_is_a_surprise():
    for trigger in ("trials_finished", "surprise"):
        policy, agent, rules = sparing()
        decide(policy, briefing(history(), "start"))
        for n in range(1, 30):
            decide(policy, briefing(grown(n), trigger))
        assert 2 <= len(agent.asked) <= 5, trigger
        assert len(agent.asked) + len(rules.asked) == 29


def test_a_resumed_run_gets_the_agent_and_a_note_alone_does_not():
    policy, agent, _ = sparing()
    decide(policy, briefing(grown(10), "resumed"))
    decide(policy, briefing(grown(11), "trials_finished", messages=["the data changed"]))
    decide(policy, briefing(grown(12), "trials_finished"))
    assert agent.asked == [10] and policy.name == "agent"

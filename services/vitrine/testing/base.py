"""What is tested of every part of a plugin, whether it scores candidates or contributes columns."""

from vitrine.testing import module
from vitrine.testing.answers import AnswerChecks
from vitrine.testing.conduct import ConductChecks


class PartContract(AnswerChecks, ConductChecks):
    """The checks that rankers and feature columns share; use `RankerContract` or `FeatureBlockContract`."""

    def test_it_is_written_for_this_contract(self) -> None:
        """It says VITRINE_CONTRACT, and the number of this version."""
        module.check_contract(self.plugin)

    def test_its_hooks_are_spelt_right(self) -> None:
        """Every hook is one that there is, is marked, and takes what it is given."""
        module.check_hooks(self.plugin, self._hook)

    def test_its_settings_are_valid(self) -> None:
        """The settings of this test fit its model, and a misspelt one is refused."""
        module.check_settings(self.plugin, self.settings)

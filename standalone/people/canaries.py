"""Marks in the clinical free text of demo patients, so that a scan can prove where that text is not kept."""

from dataclasses import dataclass, field
from random import Random

from standalone.people.shapes import Resident


@dataclass
class Canaries:
    """`planted`: entries of `canaries.json`, `{token, resident, place}`."""

    random: Random
    planted: list[dict[str, str]] = field(default_factory=list)

    def plant(self, resident: Resident) -> None:
        """Ends every free text of the resident's record with a token of its own."""
        for allergy in resident.allergies:
            allergy.note = self._marked(allergy.note, resident, "allergy.note")
        for visit in resident.visits:
            record = visit.record
            record.chief_complaint = self._marked(
                record.chief_complaint, resident, f"{visit.id}.chief_complaint"
            )
            record.present_history = self._marked(
                record.present_history, resident, f"{visit.id}.present_history"
            )
            record.advice = self._marked(record.advice, resident, f"{visit.id}.advice")
            for prescription in visit.prescriptions:
                prescription.note = self._marked(prescription.note, resident, f"{prescription.id}.note")
            for report in visit.reports:
                report.conclusion = self._marked(report.conclusion, resident, f"{report.id}.conclusion")

    def _marked(self, text: str, resident: Resident, place: str) -> str:
        return self.mark(text, resident.id, place)

    def mark(self, text: str, resident: str, place: str) -> str:
        """`text` with a token of its own at its end."""
        token = f"CANARY-{self.random.getrandbits(32):08x}"
        self.planted.append({"token": token, "resident": resident, "place": place})
        return f"{text} {token}".strip()

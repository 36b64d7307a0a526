"""Our review engine as a CDS Hooks 2.0 service, and drafts as FHIR R4 for those who ask and are asked.

Discovery is open; every call carries a JWT of a known issuer, and nobody is known unless the settings say so. Cards are
advice in CDS Hooks; gravity, rule and line are in the extension `cn.nanxiang.review`. Nothing of a patient is stored: only
feedback is kept. Sources: HL7 CDS Hooks 2.0; FHIR R4 MedicationRequest.
"""

"""FHIR R4's own rules for the types that may be written: elements, what must be there, status codes (https://hl7.org/fhir/R4)."""

_COMMON = "resourceType id meta implicitRules language text contained extension modifierExtension identifier"
_ELEMENTS = {
    "Patient": "active name telecom gender birthDate deceasedBoolean deceasedDateTime address maritalStatus "
    "multipleBirthBoolean multipleBirthInteger photo contact communication generalPractitioner managingOrganization link",
    "Encounter": "status statusHistory class classHistory type serviceType priority subject episodeOfCare basedOn "
    "participant appointment period length reasonCode reasonReference diagnosis account hospitalization location "
    "serviceProvider partOf",
    "Condition": "clinicalStatus verificationStatus category severity code bodySite subject encounter onsetDateTime "
    "onsetAge onsetPeriod onsetRange onsetString abatementDateTime abatementAge abatementPeriod abatementRange "
    "abatementString recordedDate recorder asserter stage evidence note",
    "DocumentReference": "masterIdentifier status docStatus type category subject date author authenticator custodian "
    "relatesTo description securityLabel content context",
    "MedicationRequest": "status statusReason intent category priority doNotPerform reportedBoolean reportedReference "
    "medicationCodeableConcept medicationReference subject encounter supportingInformation authoredOn requester performer "
    "performerType recorder reasonCode reasonReference instantiatesCanonical instantiatesUri basedOn groupIdentifier "
    "courseOfTherapyType insurance note dosageInstruction dispenseRequest substitution priorPrescription detectedIssue "
    "eventHistory",
    "MedicationDispense": "partOf status statusReasonCodeableConcept statusReasonReference category "
    "medicationCodeableConcept medicationReference subject context supportingInformation performer location "
    "authorizingPrescription type quantity daysSupply whenPrepared whenHandedOver destination receiver note "
    "dosageInstruction substitution detectedIssue eventHistory",
    "Appointment": "status cancelationReason serviceCategory serviceType specialty appointmentType reasonCode "
    "reasonReference priority description supportingInformation start end minutesDuration slot created comment "
    "patientInstruction basedOn participant requestedPeriod",
    "ServiceRequest": "instantiatesCanonical instantiatesUri basedOn replaces requisition status intent category priority "
    "doNotPerform code orderDetail quantityQuantity quantityRatio quantityRange subject encounter occurrenceDateTime "
    "occurrencePeriod occurrenceTiming asNeededBoolean asNeededCodeableConcept authoredOn requester performerType performer "
    "locationCode locationReference reasonCode reasonReference insurance supportingInfo specimen bodySite note "
    "patientInstruction relevantHistory",
    "ChargeItem": "definitionUri definitionCanonical status partOf code subject context occurrenceDateTime "
    "occurrencePeriod occurrenceTiming performer performingOrganization requestingOrganization costCenter quantity bodysite "
    "factorOverride priceOverride overrideReason enterer enteredDate reason service productReference "
    "productCodeableConcept account note supportingInformation",
    "Invoice": "status cancelledReason type subject recipient date participant issuer account lineItem "
    "totalPriceComponent totalNet totalGross paymentTerms note",
    "PaymentNotice": "status request response created provider payment paymentDate payee recipient amount paymentStatus",
}
_STATUS = {
    "Encounter": "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown",
    "DocumentReference": "current superseded entered-in-error",
    "MedicationRequest": "active on-hold cancelled completed entered-in-error stopped draft unknown",
    "MedicationDispense": "preparation in-progress cancelled on-hold completed entered-in-error stopped declined unknown",
    "Appointment": "proposed pending booked arrived fulfilled cancelled noshow entered-in-error checked-in waitlist",
    "ServiceRequest": "draft active on-hold revoked completed entered-in-error unknown",
    "ChargeItem": "planned billable not-billable aborted billed entered-in-error unknown",
    "Invoice": "draft issued balanced cancelled entered-in-error",
    "PaymentNotice": "active cancelled draft entered-in-error",
}
# With the hospital's additions: nothing without a patient, a document has a type, a diagnosis a code or words.
_REQUIRED = {
    "Patient": "name gender birthDate identifier",
    "Encounter": "status class subject",
    "Condition": "subject code",
    "DocumentReference": "status type subject content",
    "MedicationRequest": "status intent medication subject authoredOn requester",
    "MedicationDispense": "status medication subject",
    "Appointment": "status participant",
    "ServiceRequest": "status intent code subject",
    "ChargeItem": "status code subject",
    "Invoice": "status subject totalGross",
    "PaymentNotice": "status created payment recipient amount",
}

ELEMENTS = {kind: frozenset(f"{_COMMON} {names}".split()) for kind, names in _ELEMENTS.items()}
STATUS = {kind: frozenset(codes.split()) for kind, codes in _STATUS.items()}
REQUIRED = {kind: tuple(names.split()) for kind, names in _REQUIRED.items()}
# elements that may occur more than once are arrays in JSON
REPEATING = frozenset(
    "identifier name telecom address contact link participant diagnosis reasonCode type category note content author "
    "dosageInstruction slot lineItem account performer relatesTo securityLabel evidence stage location".split()
)
# … but not in these types
SINGLE = {
    "DocumentReference": frozenset({"type"}),
    "Invoice": frozenset({"type", "account"}),
    "MedicationRequest": frozenset({"performer"}),
    "MedicationDispense": frozenset({"type", "category", "location"}),
}

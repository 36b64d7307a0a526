"""Booking that is the same for everybody (NX03, N7): who may book how often, and who comes first when places are released.

Verified persons only; quotas belong to the person, whatever account, device or helper acts for her (practice.md 1). Robots
gain nothing: within a few seconds after a release everybody draws one ticket, and the draw is the order. Three no-shows pause
booking; staff can lift a pause. Nothing here can oversell: places are only ever taken by `schedule.service.take`.
"""

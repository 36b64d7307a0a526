"""The price list, in versions. Every fee line of every bill names the version it was taken from.

A version is prepared as a draft, approved by somebody who did not write it, and in force from the day it names until a
later version is. From its approval on nobody edits it: a trigger of the database holds that, too. The list in force and
all earlier ones are public (医疗机构价格公示; seeds 003).
"""

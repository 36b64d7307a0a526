"""HL7 2.4 over MLLP, as `docs/hl7v2.md` writes it down message by message: laboratory (LIS) and imaging (RIS) systems.

`frames` cuts the byte stream, `charsets`, `escapes` and `message` take a message apart and put one together, `line` asks a system,
`reports` reads results, `orders` writes orders; `pushed` and `listener` take what the systems send by themselves.
Nothing here logs or keeps content.
"""

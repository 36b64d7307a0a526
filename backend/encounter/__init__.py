"""The online follow-up itself: who accepts it, how it ends. What is said in it is `chat`, what is written `record`.

Sources: 诊疗办法 Art 16 (the doctor establishes that it is a follow-up; stop and refer when unsuitable); 医院办法 Art 19, 20.
"""

"""The words of the summary table in Korean, for README.ko.md."""

import re

WORDS = {
    "| case |": "| 경우 |",
    "best other": "나머지 중 최고",
    "of FMA peak": "FMA 한계 대비",
    "µs/step": "µs/스텝",
    "µs/call": "µs/호출",
    "(Lamina takes more)": "(Lamina가 더 큼)",
    "Where Lamina does not win: nowhere in this run.": "Lamina가 지는 곳: 이번 측정에서는 없음.",
    "Where Lamina does not win:": "Lamina가 지는 곳:",
    "PyTorch, compiled, one thread": "컴파일한 PyTorch, 스레드 1개",
    "PyTorch, compiled": "컴파일한 PyTorch",
    "PyTorch, one thread": "PyTorch, 스레드 1개",
    "JAX, an epoch in one scan": "JAX, 에포크를 scan 하나로",
    "Keras, tuned": "조정한 Keras",
    "Keras on JAX, tuned": "JAX 위의 조정한 Keras",
    "Keras on PyTorch": "PyTorch 위의 Keras",
    "NumPy by hand": "직접 쓴 NumPy",
    ", SGD, batch ": ", SGD, 배치 ",
    ", Adam, batch ": ", Adam, 배치 ",
    ", batch 32": ", 배치 32",
    "SGD, all 364 rows a step": "SGD, 스텝마다 364행 전부",
    "A, validated with 12,000 rows each epoch": "A, 에포크마다 12,000행으로 검증",
    "784-300-100-10 relu, l2, batch norm, dropout, clipping, schedule, validated": (
        "784-300-100-10 relu, l2, 배치 정규화, 드롭아웃, 클리핑, 스케줄, 검증"
    ),
    "the others are": "나머지는",
    "XL in mixed_bfloat16": "XL, mixed_bfloat16",
    "predict of one row": "predict로 한 행",
    "predict of 60,000 rows": "predict로 60,000행",
    "predict of 1,000 rows after 2 ms of sleep": "2 ms 쉰 뒤 predict로 1,000행",
    "model(x) of one row": "model(x)로 한 행",
    "by hand, batches of 100 drawn": "직접 쓴 반복문, 뽑은 100행 배치",
    "import, NumPy being loaded": "import (NumPy는 이미 읽은 상태)",
    "import and first epoch of A": "import부터 A의 첫 에포크까지",
    "installed, with all that it needs but Python": "설치 크기 (Python을 뺀 전부)",
    "peak memory of A on 60,000 uint8 pictures (47 MB)": (
        "uint8 사진 60,000장(47 MB)으로 A를 학습할 때의 최대 메모리"
    ),
    "A with one thread": "A, 스레드 1개",
    "A beside a busy process": "A, 바쁜 프로세스 옆에서",
    "B beside a busy process": "B, 바쁜 프로세스 옆에서",
    "4 models of A, on 9,600 rows": "A 모델 4개, 9,600행",
    "16 models": "모델 16개",
    "medians (quartiles) of": "중앙값(사분위수), 반복 횟수",
    "Against Keras, and against the best of the others": "Keras와, 그리고 나머지 중 최고와 비교",
    "All the cases, all the libraries, sweeps of width and batch size": (
        "모든 경우와 라이브러리, 너비와 배치 크기에 따른 시간"
    ),
    " rounds;": ";",
}
_PATTERN = re.compile("|".join(re.escape(words) for words in sorted(WORDS, key=len, reverse=True)))


def translated(text: str) -> str:
    """The text with all known words in Korean; what is not known stays as it is."""
    return _PATTERN.sub(lambda match: WORDS[match[0]], text)

/**
 * The reward of exported GRPO runs, as TRL loads it by `reward_funcs: rewards.answer_reward`: a Python module. Its rules are
 * those of this library for numbers: the last \boxed{}, else what follows the last #### or "answer is", else the last number; numbers are
 * compared as fractions, and commas, currency, percent and a unit after a number do not count.
 */
export const ANSWER_REWARD = String.raw`"""Rewards of thoughtbook's export: 1.0 for a completion whose final answer is the reference, else 0.0."""
import re
from fractions import Fraction

NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:\s*/\s*\d+)?|-?\.\d+")


def boxed(text):
    """Content of the last \boxed{...} with its braces balanced, or None."""
    start = text.rfind("\\boxed{")
    if start < 0:
        return None
    depth, begin = 0, start + len("\\boxed{")
    for at in range(begin, len(text)):
        if text[at] == "{":
            depth += 1
        elif text[at] == "}":
            if depth == 0:
                return text[begin:at]
            depth -= 1
    return None


def final_answer(text):
    answer = boxed(text)
    if answer is None and "####" in text:
        answer = text.rsplit("####", 1)[1].strip().split("\n")[0]
    if answer is None:
        said = re.findall(r"answer is:?\s*(.+)", text, flags=re.IGNORECASE)
        answer = said[-1] if said else None
    if answer is None:
        numbers = NUMBER.findall(text)
        answer = numbers[-1] if numbers else ""
    return answer.strip().rstrip(".")


def value(text):
    """The one number of a text as a fraction, or None."""
    text = re.sub(r"\\d?frac\{(-?\d+)\}\{(\d+)\}", r"\1/\2", text)
    found = NUMBER.findall(text)
    if len(found) != 1:
        return None
    try:
        return Fraction(re.sub(r"[,\s]", "", found[0]))
    except (ValueError, ZeroDivisionError):
        return None


def is_right(completion, reference):
    given, wanted = final_answer(completion), reference.strip()
    a, b = value(given), value(wanted)
    if a is not None and b is not None:
        return a == b
    plain = lambda text: re.sub(r"[\s$]|\\text|[{}]", "", text).lower()
    return plain(given) == plain(wanted) != ""


def answer_reward(completions, answer, **_):
    texts = [c if isinstance(c, str) else c[-1]["content"] for c in completions]
    return [1.0 if is_right(text, reference) else 0.0 for text, reference in zip(texts, answer)]
`;

"""Motion and work: distances, speeds, times."""

from __future__ import annotations

from fractions import Fraction

from ...random import Dice
from .family import Exercise, between, family
from .notation import decimal, is_decimal

# Who may go towards each other, with speeds in km/h that they can have.
_TRAVELLERS = (
    ("два пешехода", "Первый идёт", "второй", "выйдя", 3, 7),
    ("два велосипедиста", "Первый едет", "второй", "выехав", 10, 25),
    ("два автобуса", "Первый едет", "второй", "выехав", 40, 80),
    ("два поезда", "Первый идёт", "второй", "выйдя", 50, 120),
)
_PLACES = ("двух городов", "двух сёл", "двух станций", "двух деревень")
_VESSELS = (("Катер", "прошёл", "вернулся", "катера"), ("Лодка", "прошла", "вернулась", "лодки"))
# Who does what job together.
_WORKERS = (
    ("Первая труба наполняет бассейн", "вторая", "обе трубы наполнят бассейн"),
    ("Первый мастер выполняет заказ", "второй", "оба мастера выполнят заказ"),
    ("Старый станок выпускает партию деталей", "новый", "оба станка выпустят такую партию"),
)


@family("motion", "train")
def meeting(dice: Dice, difficulty: int) -> Exercise:
    """Find when two who go towards each other meet, or how far apart they began."""
    who, first_goes, second, leaving, low, high = dice.pick(_TRAVELLERS)
    one, other = between(dice, low, high), between(dice, low, high)
    hours = (
        Fraction(between(dice, 2, 10), 2) if difficulty == 1 else Fraction(between(dice, 5, 24 * difficulty), 10)
    )
    distance = (one + other) * hours
    speeds = f"{first_goes} со скоростью {one} км/ч, {second} — со скоростью {other} км/ч"
    place = dice.pick(_PLACES)
    if difficulty > 1 and dice.below(2):
        text = (
            f"Одновременно {leaving} навстречу друг другу из {place}, {who} встретились через {decimal(hours)} ч. "
            f"{speeds}. Сколько километров между исходными пунктами?"
        )
        return Exercise(text, f"{decimal(distance)} км")
    text = (
        f"Одновременно {leaving} из {place}, расстояние между которыми {decimal(distance)} км, {who} движутся "
        f"навстречу друг другу. {speeds}. Через сколько часов они встретятся?"
    )
    return Exercise(text, f"{decimal(hours)} ч")


@family("motion", "train")
def river(dice: Dice, difficulty: int) -> Exercise:
    """Find the time, or the own speed of a vessel, that goes down a river and comes back."""
    while True:
        current = Fraction(between(dice, 1, 4)) if difficulty < 3 else Fraction(between(dice, 2, 8), 2)
        own = between(dice, 8, 12 + 4 * difficulty)
        distance = between(dice, 6, 40 * difficulty)
        hours = distance / (own + current) + distance / (own - current)
        if is_decimal(hours, 1):
            break
    name, passed, returned, whose = dice.pick(_VESSELS)
    if difficulty == 1:
        text = (
            f"{name} {passed} {distance} км по течению реки и {returned} обратно. Собственная скорость {whose} "
            f"равна {own} км/ч, а скорость течения — {decimal(current)} км/ч. Сколько часов занял весь путь?"
        )
        return Exercise(text, f"{decimal(hours)} ч")
    text = (
        f"{name} {passed} {distance} км по течению реки и {returned} обратно, затратив на весь путь "
        f"{decimal(hours)} ч. Скорость течения равна {decimal(current)} км/ч. Найдите собственную скорость {whose}."
    )
    return Exercise(text, f"{own} км/ч")


@family("motion", "train")
def joint_work(dice: Dice, difficulty: int) -> Exercise:
    """Find how long two take together, or one alone when the time together is known."""
    while True:
        one, other = between(dice, 2, 12 * difficulty), between(dice, 2, 12 * difficulty)
        together = Fraction(one * other, one + other)
        if one != other and is_decimal(together, difficulty - 1):
            break
    job, second, both = dice.pick(_WORKERS)
    if difficulty > 1 and dice.below(2):
        text = (
            f"{job} за {one} ч, а вместе {both} за {decimal(together)} ч. "
            f"За сколько часов справится {second}, работая отдельно?"
        )
        return Exercise(text, f"{other} ч")
    text = f"{job} за {one} ч, а {second} — за {other} ч. За сколько часов {both}, работая вместе?"
    return Exercise(text, f"{decimal(together)} ч")


@family("motion", "test")
def overtaking(dice: Dice, difficulty: int) -> Exercise:
    """Find when the faster, who leaves later, catches up with the slower."""
    while True:
        slow = between(dice, 8, 30) * 2
        fast = slow + between(dice, 1, 15) * 2
        start, delay = between(dice, 6, 12) * 60, between(dice, 1, 4 * difficulty) * 15
        chase = Fraction(slow * delay, fast - slow)
        if chase.denominator == 1 and start + delay + chase < 24 * 60:
            break
    end = start + delay + int(chase)
    text = (
        f"В {_clock(start)} из города выехал грузовик со скоростью {slow} км/ч. В {_clock(start + delay)} вслед "
        f"за ним по той же дороге выехал мотоциклист со скоростью {fast} км/ч. В какое время мотоциклист догонит "
        "грузовик? Ответ запишите в виде ЧЧ:ММ."
    )
    return Exercise(text, _clock(end))


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@family("motion", "test")
def average_speed(dice: Dice, difficulty: int) -> Exercise:
    """Find the average speed over two or three equal parts of a way."""
    parts = 2 if difficulty < 3 else 3
    while True:
        speeds = [between(dice, 4, 24) * (10 if difficulty == 1 else 5) for _ in range(parts)]
        average = parts / sum((Fraction(1, speed) for speed in speeds), Fraction(0))
        if is_decimal(average, difficulty - 1) and len(set(speeds)) == parts:
            break
    if parts == 2:
        halves = f"Первую половину пути автомобиль ехал со скоростью {speeds[0]} км/ч, вторую — {speeds[1]} км/ч."
    else:
        halves = (
            f"Первую треть пути автомобиль ехал со скоростью {speeds[0]} км/ч, вторую — {speeds[1]} км/ч, "
            f"а последнюю — {speeds[2]} км/ч."
        )
    text = f"{halves} Найдите его среднюю скорость на всём пути."
    return Exercise(text, f"{decimal(average)} км/ч")


@family("motion", "train")
def train_and_bridge(dice: Dice, difficulty: int) -> Exercise:
    """Find the length or the speed of a train from the times in which it passes a pole and a bridge."""
    speed, at_pole = between(dice, 8, 10 + 10 * difficulty), between(dice, 5, 10 + 10 * difficulty)
    more = between(dice, 5, 20 * difficulty)
    bridge, on_bridge = speed * more, at_pole + more
    given = (
        f"Поезд, идущий с постоянной скоростью, проезжает мимо столба за {at_pole} с, а мост длиной {bridge} м — "
        f"за {on_bridge} с, считая от въезда головы поезда на мост до съезда хвоста с моста."
    )
    if dice.below(2):
        return Exercise(f"{given} Найдите длину поезда.", f"{speed * at_pole} м")
    text = f"{given} Найдите скорость поезда в километрах в час."
    return Exercise(text, f"{decimal(Fraction(speed * 36, 10))} км/ч")

"""Draw the integration's brand images: a battery of cells with a pulse running through it.

Run it with `.venv/bin/python docs/brand/draw.py`; it writes custom_components/rec_bms/brand/.
The images are drawn eight times as large as needed and scaled down, for smooth edges.
"""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

BRAND = Path(__file__).parents[2] / "custom_components" / "rec_bms" / "brand"

OVERSIZE = 8
ICON = 256
LOGO_HEIGHT = 160
LOGO_WIDTH = 600

SLATE = "#22343f"
PAPER = "#eef3f5"
CELLS = ("#7ac943", "#57b847", "#35a74f", "#17955a", "#007f66")

type Point = tuple[float, float]


def battery(image: Image.Image, left: float, size: float, outline: str, pulse: str) -> None:
    """Draw the battery into a square of `size` whose top left corner is (left, 0)."""
    draw = ImageDraw.Draw(image)

    def at(x: float, y: float) -> Point:
        return left + x * size, y * size

    draw.rounded_rectangle((*at(0.36, 0.0), *at(0.64, 0.16)), 0.04 * size, outline)
    draw.rounded_rectangle((*at(0.15, 0.07), *at(0.85, 1.0)), 0.12 * size, outline)

    top, bottom, gap = 0.14, 0.93, 0.025
    height = (bottom - top - gap * (len(CELLS) - 1)) / len(CELLS)
    for number, color in enumerate(CELLS):
        y = top + number * (height + gap)
        draw.rounded_rectangle((*at(0.22, y), *at(0.78, y + height)), 0.035 * size, color)

    # The wide line underneath keeps the pulse apart from the cells.
    wide, narrow = 0.105, 0.05
    beat = (
        (wide / 2, 0.56),
        (0.3, 0.56),
        (0.39, 0.44),
        (0.47, 0.74),
        (0.57, 0.3),
        (0.65, 0.56),
        (1 - wide / 2, 0.56),
    )
    stroke(draw, [at(x, y) for x, y in beat], wide * size, outline)
    stroke(draw, [at(x, y) for x, y in beat], narrow * size, pulse)


def stroke(draw: ImageDraw.ImageDraw, points: list[Point], width: float, color: str) -> None:
    """Draw a line with round ends and corners."""
    radius = width / 2
    draw.line(points, color, round(width))
    for x, y in points:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), color)


def icon(*, dark: bool) -> Image.Image:
    """Return the icon, square, for a light or a dark page."""
    size = ICON * 2 * OVERSIZE
    image = Image.new("RGBA", (size, size))
    battery(image, 0, size, *colors(dark=dark))
    return image


def logo(*, dark: bool) -> Image.Image:
    """Return the logo, the icon with the name beside it, for a light or a dark page."""
    height = LOGO_HEIGHT * 2 * OVERSIZE
    image = Image.new("RGBA", (LOGO_WIDTH * 2 * OVERSIZE, height))
    outline, pulse = colors(dark=dark)
    battery(image, 0, height, outline, pulse)
    ImageDraw.Draw(image).text(
        (1.12 * height, 0.535 * height),
        "REC BMS",
        outline,
        ImageFont.load_default(0.56 * height),
        anchor="lm",
        stroke_width=0.012 * height,
    )
    right = image.getbbox()
    assert right is not None
    return image.crop((0, 0, right[2], height))


def colors(*, dark: bool) -> tuple[str, str]:
    """Return the colors of outline and pulse."""
    return (PAPER, SLATE) if dark else (SLATE, PAPER)


def save(image: Image.Image, name: str) -> None:
    """Save an image in both sizes."""
    for suffix, divisor in (("", 2), ("@2x", 1)):
        size = image.width // (OVERSIZE * divisor), image.height // (OVERSIZE * divisor)
        image.resize(size, Image.Resampling.LANCZOS).save(
            BRAND / f"{name}{suffix}.png", optimize=True
        )


def main() -> None:
    """Draw all of them."""
    BRAND.mkdir(parents=True, exist_ok=True)
    for prefix, dark in (("", False), ("dark_", True)):
        save(icon(dark=dark), f"{prefix}icon")
        save(logo(dark=dark), f"{prefix}logo")


if __name__ == "__main__":
    main()

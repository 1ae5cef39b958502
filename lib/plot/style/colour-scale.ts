/** Viridis: even in lightness, safe for colour-blind readers. Evenly spaced from the lowest value to the highest. */
const VIRIDIS = ["#440154", "#472D7B", "#3B528B", "#2C728E", "#21918C", "#28AE80", "#5EC962", "#ADDC30", "#FDE725"];

/** White to dark red (ColorBrewer's OrRd): what is there as expected is not coloured. */
export const SURPRISE = [
  "#FFFFFF",
  "#FEE8C8",
  "#FDD49E",
  "#FDBB84",
  "#FC8D59",
  "#EF6548",
  "#D7301F",
  "#B30000",
  "#7F0000",
];

/** Viridis as Plotly takes it. */
export const PLOTLY_SCALE: [position: number, colour: string][] = VIRIDIS.map((colour, index) => [
  index / (VIRIDIS.length - 1),
  colour,
]);

type Rgb = [red: number, green: number, blue: number];

function parse(colour: string): Rgb {
  const channel = (start: number) => Number.parseInt(colour.slice(start, start + 2), 16);
  return [channel(1), channel(3), channel(5)];
}

/** A scale's colour at a position from 0 to 1, between two of its colours mixed as Plotly mixes them. */
export function scaleColour(position: number, colours: readonly string[] = VIRIDIS): string {
  const at = Math.min(1, Math.max(0, position)) * (colours.length - 1);
  const below = Math.min(Math.floor(at), colours.length - 2);
  const [start, end] = [parse(colours[below]!), parse(colours[below + 1]!)];
  const mixed = start.map((channel, index) => Math.round(channel + (end[index]! - channel) * (at - below)));
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}

/** Black or white: the one of more contrast (WCAG 2) on a background. */
export function textColourOn(background: string): "#000000" | "#FFFFFF" {
  const [red, green, blue] = parse(background).map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  // (luminance + 0.05) / 0.05 against 1.05 / (luminance + 0.05)
  return (luminance + 0.05) ** 2 > 1.05 * 0.05 ? "#000000" : "#FFFFFF";
}

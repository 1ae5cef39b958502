import sharp from "sharp";

/**
 * The same picture in a third of the bytes: figures have few colours, so a palette of 128 holds them without a visible
 * difference. A notebook with ten figures stays small enough to review.
 */
export async function compressPng(png: Uint8Array): Promise<Uint8Array> {
  return sharp(png).png({ palette: true, colours: 128, compressionLevel: 9, effort: 10 }).toBuffer();
}

/** A property from /run/udev/data/b<major>:<minor>, in which a line `E:NAME=value` is a property. */
export function parseUdevProperty(text: string, name: string): string | null {
  const prefix = `E:${name}=`
  return (
    text
      .split('\n')
      .find((line) => line.startsWith(prefix))
      ?.slice(prefix.length) ?? null
  )
}

import classes from './Skeleton.module.css'

/** Stands where content will: as many lines as that has, so that nothing moves when it comes. */
export function Skeleton({ lines }: { lines: number }) {
  return (
    <output className={classes.skeleton} aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} className={classes.line} />
      ))}
    </output>
  )
}

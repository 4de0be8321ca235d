import { Button } from './Button.tsx'
import classes from './More.module.css'

/** The way to the next page of a list, where there is one. */
export function More({
  pages: { hasNextPage, isFetchingNextPage, fetchNextPage },
}: {
  pages: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown }
}) {
  if (!hasNextPage) return null
  return (
    <div className={classes.more}>
      <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
        {isFetchingNextPage ? 'Loading …' : 'Show more'}
      </Button>
    </div>
  )
}

import { Button } from './Button.tsx'
import classes from './More.module.css'
import { ProblemNote } from './ProblemNote.tsx'

/** The way to the next page of a list, where there is one. */
export function More({
  pages: { hasNextPage, isFetchingNextPage, isFetchNextPageError, error, fetchNextPage },
}: {
  pages: {
    hasNextPage: boolean
    isFetchingNextPage: boolean
    isFetchNextPageError: boolean
    error: Error | null
    fetchNextPage: () => unknown
  }
}) {
  if (!hasNextPage) return null
  if (isFetchNextPageError && error !== null)
    return <ProblemNote error={error} busy={isFetchingNextPage} retry={() => void fetchNextPage()} />
  return (
    <div className={classes.more}>
      <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
        {isFetchingNextPage ? 'Loading …' : 'Show more'}
      </Button>
    </div>
  )
}

import { Link } from '@tanstack/react-router'

export function HostLink({ hostname }: { hostname: string }) {
  return (
    <Link to="/systems/$hostname" params={{ hostname }}>
      <bdi>{hostname}</bdi>
    </Link>
  )
}

import { Lock } from 'lucide-react'
import type { ReactNode } from 'react'
import { useMay } from '../../access/may.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Panel } from '../../ui/Panel.tsx'

/** What only administrators may read; others see that it is there, and why they do not see it. */
export function AdminOnly({ title, children }: { title: string; children: ReactNode }) {
  const mayNot = useMay('admin')
  if (mayNot === null) return children
  return (
    <Panel title={title}>
      <Empty title={mayNot}>
        <Lock aria-hidden size={20} />
        <p>Ask an administrator for what you need from here.</p>
      </Empty>
    </Panel>
  )
}

import { Moon, Sun, SunMoon } from 'lucide-react'
import { useState } from 'react'
import { Button } from '../ui/Button.tsx'
import { chooseTheme, chosenTheme, type Theme } from './theme.ts'

const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' }
const SHOWN = {
  system: { icon: SunMoon, text: 'as the system' },
  light: { icon: Sun, text: 'light' },
  dark: { icon: Moon, text: 'dark' },
} as const

export function ThemeChoice() {
  const [theme, setTheme] = useState(chosenTheme)
  const { icon: Icon, text } = SHOWN[theme]
  return (
    <Button
      look="quiet"
      label={`Colours: ${text}`}
      onClick={() => {
        chooseTheme(NEXT[theme])
        setTheme(NEXT[theme])
      }}
    >
      <Icon aria-hidden size={17} />
    </Button>
  )
}

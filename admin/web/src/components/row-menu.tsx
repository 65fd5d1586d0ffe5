// The menu of one entry of a list, behind three dots.
import { EllipsisIcon } from "lucide-react";
import type { ReactNode } from "react";

import { Button } from "./ui/button";
import { Menu, MenuContent, MenuTrigger } from "./ui/menu";

export function RowMenu({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Menu>
      <MenuTrigger asChild>
        <Button look="ghost" size="icon-small" aria-label={label}>
          <EllipsisIcon />
        </Button>
      </MenuTrigger>
      <MenuContent align="end">{children}</MenuContent>
    </Menu>
  );
}

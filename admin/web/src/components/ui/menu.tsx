// Menus that open from a button.
import { CheckIcon } from "lucide-react";
import { DropdownMenu as Primitive } from "radix-ui";
import type { ComponentProps } from "react";

import { cn } from "@/lib/cn";

const ITEM =
  "relative flex items-center gap-2 rounded-md px-2 py-1.5 text-[0.8125rem] outline-none select-none data-disabled:pointer-events-none data-disabled:opacity-50 data-highlighted:bg-hover [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-muted-foreground";

export const Menu = Primitive.Root;
export const MenuTrigger = Primitive.Trigger;
export const MenuRadioGroup = Primitive.RadioGroup;

export function MenuContent({ className, ...rest }: ComponentProps<typeof Primitive.Content>) {
  return (
    <Primitive.Portal>
      <Primitive.Content
        sideOffset={4}
        collisionPadding={8}
        className={cn("z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-44 animate-[appear_100ms_ease-out] overflow-y-auto rounded-lg border bg-raised p-1 shadow-raised", className)}
        {...rest}
      />
    </Primitive.Portal>
  );
}

export function MenuItem({ className, isDanger, ...rest }: ComponentProps<typeof Primitive.Item> & { isDanger?: boolean }) {
  return <Primitive.Item className={cn(ITEM, isDanger && "text-bad [&_svg]:text-bad", className)} {...rest} />;
}

export function MenuCheckbox({ className, children, ...rest }: ComponentProps<typeof Primitive.CheckboxItem>) {
  return (
    <Primitive.CheckboxItem className={cn(ITEM, "pr-8", className)} onSelect={(event) => event.preventDefault()} {...rest}>
      {children}
      <Primitive.ItemIndicator className="absolute right-2">
        <CheckIcon />
      </Primitive.ItemIndicator>
    </Primitive.CheckboxItem>
  );
}

export function MenuRadio({ className, children, ...rest }: ComponentProps<typeof Primitive.RadioItem>) {
  return (
    <Primitive.RadioItem className={cn(ITEM, "pr-8", className)} {...rest}>
      {children}
      <Primitive.ItemIndicator className="absolute right-2">
        <CheckIcon />
      </Primitive.ItemIndicator>
    </Primitive.RadioItem>
  );
}

export function MenuLabel({ className, ...rest }: ComponentProps<typeof Primitive.Label>) {
  return <Primitive.Label className={cn("px-2 py-1.5 text-2xs font-medium text-muted-foreground", className)} {...rest} />;
}

export function MenuSeparator({ className, ...rest }: ComponentProps<typeof Primitive.Separator>) {
  return <Primitive.Separator className={cn("-mx-1 my-1 h-px bg-border", className)} {...rest} />;
}

// A panel beside what opens it, and the short words that appear over something.
import { Popover as Primitive, Tooltip as TooltipPrimitive } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";

import { cn } from "@/lib/cn";

export const Popover = Primitive.Root;
export const PopoverTrigger = Primitive.Trigger;
export const PopoverClose = Primitive.Close;

export function PopoverContent({ className, ...rest }: ComponentProps<typeof Primitive.Content>) {
  return (
    <Primitive.Portal>
      <Primitive.Content
        sideOffset={6}
        collisionPadding={8}
        align="start"
        className={cn("z-50 w-80 max-w-[calc(100vw-1rem)] animate-[appear_100ms_ease-out] rounded-lg border bg-raised p-3 shadow-raised outline-none", className)}
        {...rest}
      />
    </Primitive.Portal>
  );
}

export const TooltipProvider = TooltipPrimitive.Provider;

interface TooltipProps {
  content: ReactNode;
  children: ReactNode;
  side?: "top" | "right" | "bottom" | "left";
  className?: string;
}

/** `children` is one element that takes the trigger's properties; give it a focus or an accessible name of its own. */
export function Tooltip({ content, children, side = "top", className }: TooltipProps) {
  return (
    <TooltipPrimitive.Root>
      <TooltipPrimitive.Trigger asChild>{children}</TooltipPrimitive.Trigger>
      <TooltipPrimitive.Portal>
        <TooltipPrimitive.Content
          side={side}
          sideOffset={5}
          collisionPadding={8}
          className={cn("z-50 max-w-72 animate-[fade-in_100ms] rounded-md bg-foreground px-2 py-1 text-xs text-background shadow-raised", className)}
        >
          {content}
        </TooltipPrimitive.Content>
      </TooltipPrimitive.Portal>
    </TooltipPrimitive.Root>
  );
}

// A button, in the few looks there are.
import { type VariantProps, cva } from "class-variance-authority";
import { Slot } from "radix-ui";
import type { ComponentProps } from "react";

import { cn } from "@/lib/cn";

export const buttonLook = cva(
  "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap transition-colors select-none disabled:pointer-events-none disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      look: {
        primary: "bg-primary text-primary-foreground hover:bg-primary/88",
        outline: "border border-input bg-surface hover:bg-hover",
        ghost: "text-muted-foreground hover:bg-hover hover:text-foreground",
        danger: "bg-bad text-accent-foreground hover:bg-bad/88",
        link: "text-accent underline-offset-4 hover:underline",
      },
      size: {
        small: "h-7 px-2 text-xs",
        normal: "h-8 px-3 text-[0.8125rem]",
        large: "h-10 px-4 text-sm",
        icon: "size-8",
        "icon-small": "size-7",
      },
    },
    defaultVariants: { look: "outline", size: "normal" },
  },
);

interface Props extends ComponentProps<"button">, VariantProps<typeof buttonLook> {
  asChild?: boolean;
}

export function Button({ className, look, size, asChild, type, ...rest }: Props) {
  const Element = asChild ? Slot.Root : "button";
  return <Element type={asChild ? undefined : (type ?? "button")} className={cn(buttonLook({ look, size }), className)} {...rest} />;
}

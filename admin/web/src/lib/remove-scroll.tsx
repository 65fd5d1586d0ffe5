// Keeps the page behind a dialog from scrolling. Stands in for the package of this name below the Radix primitives, which does the same
// with <style> elements of its own, and those the content security policy refuses.
import { type ElementType, type ReactNode, type Ref, useEffect } from "react";

interface Props {
  as?: ElementType;
  children?: ReactNode;
  ref?: Ref<HTMLElement>;
  allowPinchZoom?: boolean;
  shards?: unknown;
  enabled?: boolean;
}

let holders = 0;

export function RemoveScroll({ as: Element = "div", allowPinchZoom: _pinch, shards: _shards, enabled = true, ...rest }: Props) {
  useEffect(() => {
    if (!enabled) return;
    holders += 1;
    document.documentElement.dataset.scrollLocked = "";
    return () => {
      holders -= 1;
      if (holders === 0) delete document.documentElement.dataset.scrollLocked;
    };
  }, [enabled]);
  return <Element {...rest} />;
}

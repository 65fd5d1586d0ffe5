// What models cost.
import { queryOptions } from "@tanstack/react-query";

import { type Schemas, api, unwrap } from "./client";

export type Price = Schemas["Price"];

/** The price that holds for a model now. A model without one is an ordinary answer here: null. */
export const priceQuery = (model: string) =>
  queryOptions({
    queryKey: ["prices", model],
    queryFn: async () => {
      const { data, error, response } = await api.GET("/api/v1/prices/{model}", { params: { path: { model } } });
      if (response.status === 404) return null;
      return unwrap(Promise.resolve({ data, error, response }));
    },
    staleTime: 300_000,
  });

export * from "@verdant-web/store";

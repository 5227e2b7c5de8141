export const colour = "#7a1fa2";

import { colour } from "./colour.js";

document.body.style.backgroundColor = colour;
